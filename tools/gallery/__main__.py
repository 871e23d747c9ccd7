"""``python -m tools.gallery``: draw every board from an inventory that is made for it; takes some minutes."""

from __future__ import annotations

import tempfile
import time
from datetime import timedelta
from pathlib import Path

from tests.dashboards.grafana import Board, Grafana, committed
from tests.dashboards.world import world
from tools.gallery.drawing import draw

_PICTURES = Path(__file__).parents[2] / "docs" / "dashboards"
# The exporters' own figures have no past but this: seconds.
_WATCHED = 150
_CHOSEN = {"bernard-job": {"section": ["s1"], "type": ["dump"], "datacenter": ["eqiad"]}}


def _watched(board: Board) -> Board:
    return Board({**board.json, "time": {"from": f"now-{_WATCHED}s", "to": "now"}}, board.budgets)


def main() -> None:
    """Draw."""
    _PICTURES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="bernard-gallery-") as directory,
        world(Path(directory), past=timedelta(days=95), step=timedelta(hours=2), pace=0.01) as found,
    ):
        time.sleep(_WATCHED)
        for board in committed():
            shown = _watched(board) if board.uid == "bernard-exporter" else board
            grafana = Grafana(found.address, shown, _CHOSEN.get(board.uid), points=200)
            draw(shown, grafana, _PICTURES / f"{board.uid}.png")
            print(_PICTURES / f"{board.uid}.png")


if __name__ == "__main__":
    main()
