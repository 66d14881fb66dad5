"""Numbers for the eye: costs in columns, ticks on an axis, amounts of an attribute."""

from __future__ import annotations

import math
from collections.abc import Iterable
from enum import Enum
from itertools import pairwise

NO_BREAK = "\N{NO-BREAK SPACE}"
"""Stands between groups of thousands."""

GIB = 1024.0**3

NONE = "-"
"""Stands where there is nothing."""

_LARGEST_WRITTEN_OUT = 1e9


class Unit(Enum):
    """What an axis counts: its name, and how many of the attribute's own units one of it is."""

    COUNT = ("", 1.0)
    MIB = ("MiB", 1024.0**2)
    GIB = ("GiB", GIB)
    TIB = ("TiB", 1024.0**4)

    def __init__(self, label: str, size: float) -> None:
        self.label = label
        self.size = size

    @classmethod
    def of(cls, attribute: str, largest: float) -> Unit:
        """Choose the unit for an attribute whose inputs go up to `largest`: GiB for memory unless far off."""
        if attribute != "memory":
            return cls.COUNT
        if largest < 2 * GIB:
            return cls.MIB
        return cls.GIB if largest < 65536 * GIB else cls.TIB

    def show(self, amount: float) -> str:
        """Write an amount given in the attribute's own units, without the unit's name."""
        return tick(amount / self.size)


def _exponential(value: float, digits: int) -> str:
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{int(exponent)}"


def tick(value: float) -> str:
    """Write a number in few characters, for an axis: `0`, `2.5`, `1 024`, `3e12`."""
    if not math.isfinite(value):
        return "∞" if value > 0 else "-∞"
    if value == 0:
        return "0"
    if not 1e-3 <= abs(value) < 1e6:
        return _exponential(value, 1)
    digits = max(0, 3 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{min(digits, 4)}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.replace(",", NO_BREAK)


def decimals(values: Iterable[float]) -> int:
    """Find how many decimals tell these costs apart: one, and up to four where values differ by less.

    Differences that are only what doubles leave behind don't count.
    """
    finite = sorted({value for value in values if math.isfinite(value) and abs(value) < _LARGEST_WRITTEN_OUT})
    pairs = [(low, high) for low, high in pairwise(finite) if not math.isclose(low, high, rel_tol=1e-9, abs_tol=1e-9)]
    for digits in range(1, 4):
        if all(round(low, digits) != round(high, digits) for low, high in pairs):
            return digits
    return 4


def cost_text(value: float, digits: int = 1, *, signed: bool = False) -> str:
    """Write a cost with so many decimals: `15.3`, `100 031.7`, `1e300`, `∞`."""
    if not math.isfinite(value):
        return "∞"
    sign = "+" if signed else ""
    if abs(value) >= _LARGEST_WRITTEN_OUT:
        text = _exponential(value, 2)
        return f"+{text}" if signed and value > 0 else text
    value = round(value, digits) + 0.0  # no minus before a zero
    return f"{value:{sign},.{digits}f}".replace(",", NO_BREAK)


def gib(size: float) -> str:
    """Write a size as a number of GiB: whole ones, and a decimal below ten."""
    amount = size / GIB
    return f"{amount:.1f}" if 0 < amount < 10 and round(amount, 1) != int(amount) else f"{amount:.0f}"
