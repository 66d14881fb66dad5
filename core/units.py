"""Sizes and durations as HOCON writes them (specification, section 2)."""

import re
from decimal import Decimal, InvalidOperation

MAX_BYTES = 2**63 - 1
"""Byte counts are integers below 2^63."""

_PREFIXES = (("k", "kilo", "kibi"), ("m", "mega", "mebi"), ("g", "giga", "gibi"), ("t", "tera", "tebi"),
             ("p", "peta", "pebi"), ("e", "exa", "exbi"), ("z", "zetta", "zebi"), ("y", "yotta", "yobi"))  # fmt: skip


def _size_units() -> dict[str, int]:
    units = {"": 1, "B": 1, "b": 1, "byte": 1, "bytes": 1}
    for power, (letter, decimal, binary) in enumerate(_PREFIXES, start=1):
        upper = letter.upper()
        binary_names = (letter, upper, upper + "i", upper + "iB", binary + "byte", binary + "bytes")
        units |= dict.fromkeys(binary_names, 1024**power)
        thousand = (letter if letter == "k" else upper) + "B"
        units |= dict.fromkeys((thousand, decimal + "byte", decimal + "bytes"), 1000**power)
    return units


SIZE_UNITS = _size_units()

_NANOSECONDS = {
    ("ns", "nano", "nanos", "nanosecond", "nanoseconds"): 1,
    ("us", "micro", "micros", "microsecond", "microseconds"): 1_000,
    ("", "ms", "milli", "millis", "millisecond", "milliseconds"): 1_000_000,
    ("s", "second", "seconds"): 1_000_000_000,
    ("m", "minute", "minutes"): 60_000_000_000,
    ("h", "hour", "hours"): 3_600_000_000_000,
    ("d", "day", "days"): 86_400_000_000_000,
}
DURATION_UNITS = {unit: nanoseconds for units, nanoseconds in _NANOSECONDS.items() for unit in units}

_OTHER_DURATIONS = {
    "msec": "ms", "msecs": "ms", "milisecond": "ms", "sec": "s", "secs": "s", "min": "m", "mins": "m",
    "hr": "h", "hrs": "h", "w": "days", "wk": "days", "week": "days", "weeks": "days",
    "mo": "days", "month": "days", "months": "days", "y": "days", "year": "days", "years": "days",
}  # fmt: skip
_QUANTITY = re.compile(r"\s*([^A-Za-z\s]?[^\sA-Za-z]*(?:[eE][+-]?\d+)?)\s*([A-Za-z\u00b5\u03bc]*)\s*")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


class NotAQuantity(ValueError):
    """A text is no size or no duration; `hint` says what was probably meant, or is empty.

    `is_misspelt` where the unit is one that is known but for its case.
    """

    def __init__(self, message: str, hint: str = "", *, is_misspelt: bool = False) -> None:
        super().__init__(message)
        self.hint = hint
        self.is_misspelt = is_misspelt


def _split(text: str, kind: str) -> tuple[Decimal, str]:
    match = _QUANTITY.fullmatch(text)
    if match is None or not _NUMBER.fullmatch(match[1]):
        message = f"{text.strip()!r} is not a {kind}"
        raise NotAQuantity(message, "a number and a unit, such as " + ("64 GiB" if kind == "size" else "10 minutes"))
    number = _bounded(match[1])
    if number is None:
        shown = match[1] if len(match[1]) <= _MOST_DIGITS else match[1][:20] + "\N{HORIZONTAL ELLIPSIS}"
        message = f"{shown} is out of range for a {kind}"
        raise NotAQuantity(message)
    return number, match[2]


_MOST_DIGITS = 60
_DIGITS = "0123456789abcdef"
"""Digits of a number, and powers of ten: beyond it nothing is counted, and arithmetic may overflow."""


def _bounded(text: str) -> Decimal | None:
    if len(text) > _MOST_DIGITS:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:  # an exponent beyond what any decimal holds
        return None
    return number if abs(number.adjusted()) <= _MOST_DIGITS or not number else None


def whole_number(text: str | None, *, base: int = 10, below: int = MAX_BYTES + 1) -> int | None:
    """Return a whole number written in ASCII digits, as a host's XML has it; None for any other text, or from `below`.

    With base 0 the text tells the base, as libvirt reads most numbers: 0x41 hexadecimal, 041 octal, 41 decimal.
    Never raises: int() takes digits of other scripts, and fails for thousands of them.
    """
    digits = (text or "").strip().lower()
    if base in (0, 16) and digits.startswith("0x"):
        digits, base = digits[2:], 16
    elif base == 0:
        base = 8 if digits.startswith("0") else 10
    if not digits or len(digits) > _MOST_DIGITS or set(digits) - set(_DIGITS[:base]):
        return None
    number = int(digits, base)
    return number if number < below else None


def has_unit(text: str) -> bool:
    """Return whether a text reads as a number followed by letters (of any unit, right or wrong)."""
    match = _QUANTITY.fullmatch(text)
    return match is not None and bool(match[2]) and _NUMBER.fullmatch(match[1]) is not None


def parse_size(text: str) -> int:
    """Read a size such as `64 GiB`, `1.5T` or `16 GB` as bytes; fractions of a byte are dropped, as HOCON does.

    Raises NotAQuantity for another notation, an unknown unit or 2^63 bytes and more.
    """
    number, unit = _split(text, "size")
    factor = SIZE_UNITS.get(unit)
    if factor is None:
        message = f"unknown unit {unit!r} of size"
        raise NotAQuantity(message, _size_unit_hint(unit), is_misspelt=bool(_meant_units(unit)))
    if number.adjusted() > 40 or (size := int(number * factor)) > MAX_BYTES or size < -MAX_BYTES:
        message = f"{text.strip()} is too large: sizes must be below 2^63 bytes"
        raise NotAQuantity(message)
    return size


def _meant_units(unit: str) -> list[str]:
    """Return the units of size that one written in the wrong case may mean, the smaller first."""
    if unit.lower() in {"kb", "kib"}:
        return ["KiB", "kB"]
    return sorted({known for known in SIZE_UNITS if known.lower() == unit.lower()}, key=lambda known: SIZE_UNITS[known])


def _size_unit_hint(unit: str) -> str:
    """Return which unit was probably meant: units of size are case-sensitive."""
    near = _meant_units(unit)
    if not near:
        return "valid units: B, K, KiB, kB, M, MiB, MB, G, GiB, GB, T, TiB, TB"
    if len(near) == 2:  # both families fit
        return f"write {near[0]} (powers of 1024) or {near[1]} (powers of 1000): units are case-sensitive"
    return f"did you mean {near[0]}? Units are case-sensitive"


def parse_duration(text: str) -> float:
    """Read a duration such as `10 minutes`, `500 ms` or `30s` as seconds; a bare number is milliseconds, as in HOCON.

    Raises NotAQuantity for another notation, an unknown unit, or a duration beyond 2^63 nanoseconds.
    """
    number, unit = _split_duration(text)
    factor = DURATION_UNITS.get(unit)
    if factor is None:
        message = f"unknown unit {unit!r} of duration"
        raise NotAQuantity(message, _duration_hint(number, unit))
    if number.adjusted() > 30 or abs(nanoseconds := number * factor) > MAX_BYTES:
        message = f"{text.strip()} is too long: durations must be below 2^63 nanoseconds"
        raise NotAQuantity(message)
    return int(nanoseconds) / 10**9  # of two integers: rounded once


def _split_duration(text: str) -> tuple[Decimal, str]:
    try:
        return _split(text, "duration")
    except NotAQuantity:
        parts = re.findall(r"(\d{1,12})\s*([a-z]+)", text)
        if len(parts) < 2 or len(text) > 200 or not re.fullmatch(r"\s*(?:\d{1,12}\s*[a-z]+\s*)+", text):
            raise
    message = f"{text.strip()!r} has several units; use one"
    known = [_OTHER_DURATIONS.get(unit, unit) for _, unit in parts]
    if not all(unit in DURATION_UNITS for unit in known):
        raise NotAQuantity(message)
    total = sum(int(count) * DURATION_UNITS[unit] for (count, _), unit in zip(parts, known, strict=True))
    raise NotAQuantity(message, f"write {format_duration(total / 1e9)}")


def _duration_hint(number: Decimal, unit: str) -> str:
    lower = unit.lower()
    meant = lower if lower in DURATION_UNITS else _OTHER_DURATIONS.get(lower, "")
    if meant == "days":
        days = {"w": 7, "m": 30, "y": 365}[lower[0]]
        return f"write {(number * days).normalize():f} days"
    if meant:
        return f"write {number.normalize():f} {meant}"
    return "valid units: ms, s, m, h, d, or seconds, minutes, hours, days"


def format_size(size: int) -> str:
    """Write a size exactly, in the largest unit of 1024 that divides it: parse_size gives the same number back."""
    if size == 0:
        return "0 B"
    for power in range(6, 0, -1):
        if size % 1024**power == 0:
            return f"{size // 1024**power} {'KMGTPE'[power - 1]}iB"
    return f"{size} B"


def show_size(size: float) -> str:
    """Write a size for the eye, in three figures or so: `1.5 TiB`, `612 GiB`."""
    for power in range(6, 0, -1):
        if abs(size) >= 1024**power:
            amount = size / 1024**power
            digits = 0 if amount >= 100 or amount == int(amount) else 1
            return f"{amount:.{digits}f} {'KMGTPE'[power - 1]}iB"
    return f"{size:.0f} B"


def format_duration(seconds: float) -> str:
    """Write a duration exactly, in the largest unit that divides it: parse_duration gives the same number back."""
    nanoseconds = round(Decimal(repr(seconds)) * 10**9)  # the digits that are meant, not the binary fraction's
    for unit in ("day", "hour", "minute", "second"):
        factor = DURATION_UNITS[unit]
        if nanoseconds and nanoseconds % factor == 0:
            count = nanoseconds // factor
            return f"{count} {unit}" if abs(count) == 1 else f"{count} {unit}s"
    for unit in ("ms", "us"):
        if nanoseconds % DURATION_UNITS[unit] == 0:
            return f"{nanoseconds // DURATION_UNITS[unit]} {unit}"
    return f"{nanoseconds} ns"


def show_age(seconds: float) -> str:
    """Write an age for the eye: `4 s`, `2 m`, `3 h`, `5 d`."""
    for factor, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= factor:
            return f"{int(seconds // factor)} {unit}"
    return f"{max(0, int(seconds))} s"
