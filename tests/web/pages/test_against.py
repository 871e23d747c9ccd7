"""The difference from a run that the reader chose."""

from __future__ import annotations

from tests.web.pages.served import Served


def test_run_is_compared_with_any_other(served: Served, ids: dict[str, int]) -> None:
    page = served.get(f"/runs/{ids['previous']}?against={ids['newest']}")
    assert page.panel(f"Difference from run {ids['newest']}")
    assert ["Removed", "enwiki.user"] in [row[:2] for row in page.rows("diff")]
    assert served.get(f"/runs/{ids['newest']}?against=x").status == 400
    assert served.get(f"/runs/{ids['newest']}?against=99999").status == 404
