"""The sections of the sample fleet, and the databases and tables in them.

Names, layout and durations follow Wikimedia's replica sets as published on wikitech.wikimedia.org, and the
configuration in wikimedia/operations-puppet of late 2024; sizes are invented.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from bernard_exporter.domain.policy import BUILT_IN_DATACENTERS

DATACENTERS = tuple(BUILT_IN_DATACENTERS)


@dataclass(frozen=True, slots=True)
class Section:
    """A replica set.

    Attributes:
        dump, snapshot: gigabytes of each type of backup, 0 for none.
        hours: the duration of a dump.
        dump_host, snapshot_host: the number of the destination host of each type, in any data centre.
        external: whether it is external storage, which has its own hosts and is slow to back up.
        last_dump: days since the only dump of a read-only section; None for other sections.
        datacenters: the data centres in which it is backed up.
        daily: whether it is backed up every day.
        team: the responsible team, if not the default one.
    """

    name: str
    dump: float
    hours: float
    port: int
    dump_host: int
    snapshot: float = 0
    snapshot_host: int = 0
    external: bool = False
    last_dump: int | None = None
    datacenters: tuple[str, ...] = DATACENTERS
    daily: bool = False
    team: str | None = None


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


SECTIONS = (
    Section("s1", dump=168, hours=3.4, port=3311, dump_host=1, snapshot=1130, snapshot_host=1),
    Section("s2", dump=112, hours=2.9, port=3312, dump_host=4, snapshot=790, snapshot_host=4),
    Section("s3", dump=96, hours=3.8, port=3313, dump_host=1, snapshot=870, snapshot_host=1),
    Section("s4", dump=194, hours=4.0, port=3314, dump_host=3, snapshot=1480, snapshot_host=3),
    Section("s5", dump=103, hours=2.8, port=3315, dump_host=3, snapshot=820, snapshot_host=3),
    Section("s6", dump=91, hours=2.5, port=3316, dump_host=4, snapshot=660, snapshot_host=4),
    Section("s7", dump=121, hours=3.1, port=3317, dump_host=2, snapshot=940, snapshot_host=2),
    Section("s8", dump=201, hours=7.0, port=3318, dump_host=2, snapshot=1310, snapshot_host=2),
    Section("x1", dump=42, hours=2.0, port=3320, dump_host=4, snapshot=310, snapshot_host=4),
    Section("es1", dump=2310, hours=13.0, port=3306, dump_host=2, external=True, last_dump=611),
    Section("es2", dump=2470, hours=14.0, port=3306, dump_host=2, external=True, last_dump=604),
    Section("es3", dump=2250, hours=12.5, port=3306, dump_host=2, external=True, last_dump=597),
    Section("es4", dump=2940, hours=15.0, port=3306, dump_host=2, external=True, last_dump=233),
    Section("es5", dump=2890, hours=15.5, port=3306, dump_host=2, external=True, last_dump=226),
    Section("es6", dump=880, hours=9.0, port=3306, dump_host=13, external=True),
    Section("es7", dump=860, hours=9.5, port=3306, dump_host=13, external=True),
    Section("m1", dump=31, hours=2.1, port=3321, dump_host=1),
    Section("m2", dump=38, hours=2.3, port=3322, dump_host=3),
    Section("m3", dump=52, hours=2.6, port=3323, dump_host=3),
    Section("m5", dump=9, hours=2.0, port=3325, dump_host=3),
    Section("db_inventory", dump=0.012, hours=0.1, port=3353, dump_host=5, daily=True),
    Section("matomo", dump=3.1, hours=0.6, port=3351, dump_host=2, datacenters=("eqiad",)),
    Section(
        "analytics_meta",
        dump=1.4,
        hours=0.4,
        port=3352,
        dump_host=2,
        datacenters=("eqiad",),
        team="data-engineering",
    ),
    Section("backup1-eqiad", dump=27, hours=2.2, port=3306, dump_host=1, datacenters=("eqiad",)),
    Section("backup1-codfw", dump=24, hours=2.1, port=3306, dump_host=1, datacenters=("codfw",)),
)

_LANGUAGES = _words(
    "aa ab af ak als am an ang arc as ast av ay az ba bar bcl be bh bi bm bn bo br bs bug bxr ce ch co cr cu cv cy da "
    "diq dsb dv dz ee el eml et eu ext ff fj fo frp fur fy ga gan gd gl glk gn got gu gv ha hak haw hi hif ho hr hsb "
    "ht hy hz ia ie ig ii ik ilo io is iu jam jbo jv ka kab kbd kg ki kk kl km kn koi krc ks ku kv kw ky la lad lb lez "
    "lg li lij lmo ln lo lrc lt ltg lv mai mdf mhr mi mk ml mn mr mrj ms mt mwl my myv mzn na nah nap nds ne new nn"
)
_PROJECTS = ("wiki", "wiktionary", "wikibooks", "wikiquote", "wikinews", "wikisource", "wikivoyage")
_DATABASES = {
    "s1": "enwiki",
    "s2": "itwiki zhwiki plwiki nlwiki svwiki ptwiki cswiki fiwiki trwiki nowiki idwiki bgwiki thwiki enwiktionary",
    "s4": "commonswiki testcommonswiki",
    "s5": "dewiki cebwiki shwiki srwiki enwikivoyage mgwiktionary avkwiki apiportalwiki",
    "s6": "frwiki ruwiki jawiki",
    "s7": "eswiki metawiki centralauth arwiki hewiki fawiki ukwiki viwiki huwiki cawiki kowiki rowiki frwiktionary",
    "s8": "wikidatawiki testwikidatawiki",
    "x1": "wikishared flowdb cognate_wiktionary reading_lists",
    "backup1-eqiad": "mediabackups bacula9",
    "backup1-codfw": "mediabackups bacula9",
    "m1": "librenms rt etherpadlite dbbackups",
    "m2": "otrs debmonitor xhgui recommendationapi",
    "m3": "phabricator_maniphest phabricator_differential phabricator_user phabricator_file phabricator_search",
    "m5": "labswiki mailman3 mailman3web striker wikitech-static",
    "matomo": "piwik",
    "analytics_meta": "hive_metastore superset_production oozie druid hue",
    "db_inventory": "zarcillo",
}
_WIKI_TABLES = _words(
    "text templatelinks pagelinks revision categorylinks externallinks logging linktarget content slots page comment "
    "imagelinks cu_changes archive user_properties watchlist langlinks globalimagelinks flaggedtemplates recentchanges "
    "page_props echo_event user iwlinks geo_tags change_tag actor abuse_filter_log oldimage image redirect category "
    "filearchive site_stats ipblocks job objectcache page_restrictions protected_titles user_groups updatelog"
)
_OTHER_TABLES = _words(
    "events events-archive attributes files accounts sessions permissions messages comments history tags "
    "attachments settings queue notifications groups migrations"
)


def databases(section: str) -> tuple[str, ...]:
    """Return the names of a section's databases in file name encoding, largest first."""
    if section == "s3":
        wikis = [language + project for project, language in product(_PROJECTS, _LANGUAGES)]
        return (*wikis, "test-wiki", "heartbeat")
    if section.startswith("es"):
        return tuple(f"{wiki}_blobs" for key in ("s1", "s4", "s5", "s8") for wiki in _words(_DATABASES[key]))
    return (*_words(_DATABASES.get(section, section)), "heartbeat")


def tables(database: str) -> tuple[str, ...]:
    """Return the names of a database's tables in file name encoding, largest first."""
    if database == "heartbeat":
        return ("heartbeat",)
    if database.endswith("_blobs"):
        return tuple(f"blobs_cluster{number}" for number in range(1, 32))
    return _WIKI_TABLES if database.endswith(_PROJECTS) else _OTHER_TABLES
