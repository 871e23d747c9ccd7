"""Values from a scrape of the exporter, and from its process."""

from __future__ import annotations

import os
import re
from pathlib import Path


def resident(pid: int) -> float:
    """Return the resident memory of a process in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def value(scrape: str, name: str) -> float:
    """Return the value of a metric without labels."""
    return float(re.findall(rf"^{name} (\S+)$", scrape, re.MULTILINE)[0])


def samples(scrape: str, name: str) -> int:
    """Return the number of samples of a metric."""
    return len(re.findall(rf"^{name}\{{", scrape, re.MULTILINE))


def counted(scrape: str) -> bool:
    """Return whether the inventory is loaded and the files of every newest success are counted."""
    successes = samples(scrape, "bernard_backup_last_success_id")
    return "bernard_up 1.0" in scrape and 0 < successes <= samples(scrape, "bernard_backup_last_success_files") + 5
