"""The sections of the sample fleet, and the databases and tables in them.

Names and layout follow what wikitech.wikimedia.org publishes of Wikimedia's replica sets; sizes are invented.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product


@dataclass(frozen=True, slots=True)
class Section:
    """A replica set.

    Attributes:
        dump, snapshot: gigabytes of each kind of backup, 0 where it has none.
        hours: how long a dump takes.
        external: external storage, on hosts of its own and slow to back up.
        read_only: nothing is written to it any more.
    """

    name: str
    dump: float
    hours: float
    port: int
    snapshot: float = 0
    external: bool = False
    read_only: bool = False
    one_datacenter: bool = False


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


SECTIONS = (
    Section("s1", dump=168, snapshot=1130, hours=3.4, port=3311),
    Section("s2", dump=112, snapshot=790, hours=2.9, port=3312),
    Section("s3", dump=96, snapshot=870, hours=3.8, port=3313),
    Section("s4", dump=194, snapshot=1480, hours=4.0, port=3314),
    Section("s5", dump=103, snapshot=820, hours=2.8, port=3315),
    Section("s6", dump=91, snapshot=660, hours=2.5, port=3316),
    Section("s7", dump=121, snapshot=940, hours=3.1, port=3317),
    Section("s8", dump=201, snapshot=1310, hours=7.0, port=3318),
    Section("x1", dump=42, snapshot=310, hours=2.0, port=3320),
    Section("es1", dump=2310, hours=13.0, port=3306, external=True, read_only=True),
    Section("es2", dump=2470, hours=14.0, port=3306, external=True, read_only=True),
    Section("es3", dump=2250, hours=12.5, port=3306, external=True, read_only=True),
    Section("es4", dump=1180, hours=9.0, port=3306, external=True),
    Section("es5", dump=1210, hours=9.5, port=3306, external=True),
    Section("m1", dump=31, snapshot=88, hours=2.1, port=3321),
    Section("m2", dump=38, snapshot=142, hours=2.3, port=3322),
    Section("m3", dump=52, snapshot=171, hours=2.6, port=3323),
    Section("m4", dump=47, snapshot=133, hours=2.4, port=3324),
    Section("m5", dump=9, snapshot=36, hours=2.0, port=3325),
    Section("matomo", dump=3.1, hours=0.6, port=3351, one_datacenter=True),
    Section("analytics_meta", dump=1.4, hours=0.4, port=3352, one_datacenter=True),
    Section("db_inventory", dump=0.012, hours=0.1, port=3353, one_datacenter=True),
)

_LANGUAGES = _words(
    "aa ab af ak als am an ang arc as ast av ay az ba bar bcl be bh bi bm bn bo br bs bug bxr ce ch co cr cu cv cy da "
    "diq dsb dv dz ee el eml et eu ext ff fj fo frp fur fy ga gan gd gl glk gn got gu gv ha hak haw hi hif ho hr hsb "
    "ht hy hz ia ie ig ii ik ilo io is iu jam jbo jv ka kab kbd kg ki kk kl km kn koi krc ks ku kv kw ky la lad lb lez "
    "lg li lij lmo ln lo lrc lt ltg lv mai mdf mhr mi mk ml mn mr mrj ms mt mwl my myv mzn na nah nap nds ne new nn"
)
_PROJECTS = ("wiki", "wiktionary", "wikibooks", "wikiquote", "wikinews", "wikisource", "wikivoyage")
# A name's own hyphen is encoded, @002d, in the names of files.
_DATABASES = {
    "s1": "enwiki",
    "s2": "itwiki zhwiki plwiki nlwiki svwiki ptwiki cswiki fiwiki trwiki nowiki idwiki bgwiki thwiki enwiktionary",
    "s4": "commonswiki testcommonswiki",
    "s5": "dewiki cebwiki shwiki srwiki enwikivoyage mgwiktionary avkwiki apiportalwiki",
    "s6": "frwiki ruwiki jawiki",
    "s7": "eswiki metawiki centralauth arwiki hewiki fawiki ukwiki viwiki huwiki cawiki kowiki rowiki frwiktionary",
    "s8": "wikidatawiki testwikidatawiki",
    "x1": "wikishared flowdb cognate_wiktionary reading_lists",
    "m1": "bacula9 librenms rt etherpadlite dbbackups",
    "m2": "otrs debmonitor xhgui recommendationapi",
    "m3": "phabricator_maniphest phabricator_differential phabricator_user phabricator_file phabricator_search",
    "m4": "log staging",
    "m5": "labswiki mailman3 mailman3web striker wikitech@002dstatic",
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
    "events events@002darchive attributes files accounts sessions permissions messages comments history tags "
    "attachments settings queue notifications groups migrations"
)


def databases(section: str) -> tuple[str, ...]:
    """Return the names of a section's databases as file names spell them, the largest first."""
    if section == "s3":
        wikis = [language + project for project, language in product(_PROJECTS, _LANGUAGES)]
        return (*wikis, "test@002dwiki", "heartbeat")
    if section.startswith("es"):
        return tuple(f"{wiki}_blobs" for key in ("s1", "s4", "s5", "s8") for wiki in _words(_DATABASES[key]))
    return (*_words(_DATABASES.get(section, section)), "heartbeat")


def tables(database: str) -> tuple[str, ...]:
    """Return the names of a database's tables as file names spell them, the largest first."""
    if database == "heartbeat":
        return ("heartbeat",)
    if database.endswith("_blobs"):
        return tuple(f"blobs_cluster{number}" for number in range(1, 32))
    return _WIKI_TABLES if database.endswith(_PROJECTS) else _OTHER_TABLES
