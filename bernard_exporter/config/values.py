"""Durations, sizes, ratios and rates as people write them."""

from __future__ import annotations

import math
import re

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
_BYTES = {"": 1, "B": 1} | {
    f"{prefix}{suffix}": base ** (power + 1)
    for base, suffix in ((1000, "B"), (1024, "iB"))
    for power, prefix in enumerate(("k" if base == 1000 else "K", "M", "G", "T", "P"))
}
_BYTES |= {"KB": 1000}
DURATION = "a duration such as 90s, 5m, 8d or 2w"
SIZE = "a size such as 300KiB, 2GB or whole bytes"
RATIO = "a ratio such as 5% or 0.05"


def duration(value: object) -> float:
    """Return seconds (> 0) of a text such as ``8d`` or ``1h30m``.

    Raises:
        ValueError: it is no such text; the message says what was expected.
    """
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|[smhdw])", value) if isinstance(value, str) else []
    if not parts or "".join(number + unit for number, unit in parts) != value:
        raise ValueError(DURATION)
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if not 0 < seconds <= 1000 * 366 * _SECONDS["d"]:
        raise ValueError(f"{DURATION}, more than 0 and at most 1000 years")
    return seconds


def size(value: object) -> int:
    """Return bytes (>= 0) of a text such as ``300KiB`` or of a whole number.

    Raises:
        ValueError: it is neither; the message says what was expected.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63:
        return value
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?([A-Za-z]*)", value) if isinstance(value, str) else None
    if not match or match[2] not in _BYTES:
        raise ValueError(SIZE)
    found = int(float(match[1]) * _BYTES[match[2]])
    if found >= 1 << 63:
        raise ValueError(f"{SIZE}, less than 8 EiB")
    return found


def ratio(value: object) -> float:
    """Return the ratio (>= 0) that ``5%`` or ``0.05`` says.

    Raises:
        ValueError: it says none; the message says what was expected.
    """
    if isinstance(value, str) and (match := re.fullmatch(r"(\d+(?:\.\d+)?) ?%", value)):
        return float(match[1]) / 100
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0:
        return float(value)
    raise ValueError(RATIO)


def duration_text(seconds: float) -> str:
    """Return seconds (> 0) as the text that :func:`duration` reads, in the largest unit that divides them."""
    units = sorted(_SECONDS.items(), key=lambda unit: -unit[1])
    name, length = next((unit for unit in units[:-1] if seconds % unit[1] == 0 and unit[0] != "w"), ("s", 1.0))
    return f"{seconds / length:.15g}{name}"


def size_text(size_: int) -> str:
    """Return bytes (>= 0) as the text that :func:`size` reads, in the largest unit that divides them."""
    units = sorted(((length, name) for name, length in _BYTES.items() if name != "KB"), reverse=True)
    length, name = next(unit for unit in units if size_ % unit[0] == 0 and (size_ or not unit[1]))
    return f"{size_ // length}{name}"


def ratio_text(value: float) -> str:
    """Return a ratio (>= 0) as the percentage that :func:`ratio` reads."""
    return f"{value * 100:.12g}%"
