"""What people read is plain technical English: no phrases from a list of odd ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from testing.tree import ROOT, git

# Generated from checked texts; and this file, which quotes the phrases.
UNCHECKED = ("alerts/rules/", "dashboards/json/", "tests/test_english.py")
SUFFIXES = {".css", ".html", ".js", ".json", ".md", ".py", ".svg", ".text", ".toml", ".yaml"}
# An odd phrase as a regular expression, and what to write instead.
ODD = {
    r"\b(tell|tells|told|telling|speak|speaks|spoken) of\b": "report, describe, about",
    r"\b(is|are|was|were|be) told\b": "see, receive, be notified",
    r"\btell whether\b": "return whether",
    r"\b(any|every|no|some)body\b": "no user, any client, all users",
    r"\bmend(s|ed|ing)?\b": "fix, correct, repair",
    r"\bof which\b": "whose, with, including",
    r"\bwhat became of\b": "outcome, status",
    r"\bwhat it is not\b": "state what it is",
    r"\bmakes? (no )?sense\b": "valid, invalid",
    r"\bputs? right\b": "correct, fix",
    r"\bhonou?red\b": "supported",
    r"\bmay be given again\b": "repeatable",
    r"\bwhoever\b": "a client that, a user who",
    r"\bin a way\b": "internal error",
    r"\b(anew|afresh)\b": "again",
    r"\bthe other way round\b": "say both directions",
    r": aware[.;]": "with a time zone",
    r"\bsays? so\b": "prints, reports",
}


def _files() -> list[Path]:
    names = (name for name in git(ROOT, "ls-files", "-z").split("\0") if not name.startswith(UNCHECKED))
    return [ROOT / name for name in names if Path(name).suffix in SUFFIXES and (ROOT / name).is_file()]


@pytest.mark.parametrize("phrase", ODD)
def test_no_text_has_an_odd_phrase(phrase: str) -> None:
    pattern = re.compile(phrase.replace(" ", r"\s+"), re.IGNORECASE)
    found = []
    for file in _files():
        text = file.read_text(encoding="utf-8")
        for match in pattern.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(f"{file.relative_to(ROOT)}:{line}: {' '.join(match[0].split())!r}, write: {ODD[phrase]}")
    assert not found, "\n".join(found)
