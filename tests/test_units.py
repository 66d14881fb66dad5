"""Sizes and durations: what HOCON reads, what is refused with a hint, and writing that reads back."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.units import (
    DURATION_UNITS,
    MAX_BYTES,
    SIZE_UNITS,
    NotAQuantity,
    format_duration,
    format_size,
    has_unit,
    parse_duration,
    parse_size,
    show_age,
    show_size,
    whole_number,
)

KIB, MIB, GIB, TIB = 1024, 1024**2, 1024**3, 1024**4


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("32", 32), ("0", 0), ("8.0", 8), ("1e3", 1000), ("64 B", 64), ("64b", 64), ("3 bytes", 3), ("1 byte", 1),
        ("1k", KIB), ("1 K", KIB), ("1Ki", KIB), ("1 KiB", KIB), ("2 kibibytes", 2 * KIB), ("1 kB", 1000),
        ("1 kilobyte", 1000), ("5m", 5 * MIB), ("5 M", 5 * MIB), ("512 MiB", 512 * MIB), ("1 MB", 10**6),
        ("1.5 GiB", 3 * GIB // 2), ("64g", 64 * GIB), ("16 GB", 16 * 10**9), ("0.5 T", TIB // 2), (".5 TiB", TIB // 2),
        ("4 terabytes", 4 * 10**12), ("  32   GiB  ", 32 * GIB), ("34359738369", 34359738369), ("7 EiB", 7 * 1024**6),
        ("9007199254740993", 2**53 + 1), ("9223372036854775807", MAX_BYTES), ("1 PB", 10**15), ("-1 GiB", -GIB),
    ],
)  # fmt: skip
def test_sizes_are_read_as_hocon_reads_them(text: str, size: int) -> None:
    """Powers of 1024 and of 1000, exactly, up to 2^63 - 1."""
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("32 Gib", "GiB"), ("32 KB", "kB (powers of 1000)"), ("1 kib", "KiB"), ("5 gb", "GB"), ("5 mb", "MB"),
        ("5 GIB", "GiB"), ("5 Gigabytes", "gigabytes"), ("5 XB", "KiB"), ("5 TIB", "TiB"), ("5 kI", "Ki"),
    ],
)  # fmt: skip
def test_a_unit_of_the_wrong_case_names_the_right_one(text: str, hint: str) -> None:
    """Units of size are case-sensitive."""
    with pytest.raises(NotAQuantity) as caught:
        parse_size(text)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    "text", ["", "GiB", "one", "1,5 GiB", "1 2", "1 GiB 2", "1__000", "0x10", "--1", "NaN", "inf", "8 EiB",
             "9223372036854775808", "1e400", "1e99999999999999999999 GiB", "\u0663\u0663 GiB", "1 YB", "²"],
)  # fmt: skip
def test_what_is_no_size_is_refused(text: str) -> None:
    """Other notations, several numbers, and 2^63 bytes or more."""
    with pytest.raises(NotAQuantity):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10 minutes", 600), ("1 minute", 60), ("500 ms", 0.5), ("30s", 30), ("5000", 5), ("1.5 hours", 5400),
        ("1 day", 86400), ("2 d", 172800), ("1h", 3600), ("250 us", 0.00025), ("1 ns", 1e-9), ("0", 0), ("-1 s", -1),
        ("1500 milliseconds", 1.5), ("1e3 ms", 1),
    ],
)  # fmt: skip
def test_durations_are_read_as_hocon_reads_them(text: str, seconds: float) -> None:
    """A bare number is milliseconds."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("10 mins", "10 m"), ("300 sec", "300 s"), ("1 hr", "1 h"), ("1h30m", "90 minutes"), ("2 weeks", "14 days"),
        ("5 Minutes", "5 minutes"), ("1 month", "30 days"), ("1 year", "365 days"), ("3 fortnights", "valid units"),
        ("10 min 5 sec", "605 seconds"), ("1 H", "1 h"),
    ],
)  # fmt: skip
def test_what_people_write_for_durations_is_suggested_rightly(text: str, hint: str) -> None:
    """Units are lower case, one to a duration."""
    with pytest.raises(NotAQuantity) as caught:
        parse_duration(text)
    assert hint in caught.value.hint


@pytest.mark.parametrize("text", ["", "never", "10:00", "1e400 s", "300 years 2", "NaN s", "99999999999 d"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """Other notations, and 2^63 nanoseconds or more."""
    with pytest.raises(NotAQuantity):
        parse_duration(text)


@given(st.integers(min_value=0, max_value=MAX_BYTES))
def test_a_size_written_reads_back(size: int) -> None:
    """parse(format(x)) == x, to the byte."""
    assert parse_size(format_size(size)) == size


@given(st.integers(min_value=0, max_value=9 * 10**12))
def test_a_duration_written_reads_back(milliseconds: int) -> None:
    """parse(format(x)) == x, to the millisecond."""
    seconds = milliseconds / 1000
    assert parse_duration(format_duration(seconds)) == seconds


DIGITS = st.sampled_from(
    ["1", "0" * 400, "9" * 4400, "1" + "0" * 400, "\u00b2", "\u0663", ".", "-1", "1.5", "", "0x1f"]
)
EXPONENTS = st.sampled_from(["", "e5", "e-5", "e9999999", "e-9999999", "e" + "9" * 500, "E400"])
UNITS = st.sampled_from([*SIZE_UNITS, *DURATION_UNITS, "week", "months", "y", "h3m", "h3m5s", "parsec", "\u00b5s"])
QUANTITIES = st.builds("{}{}{}{}".format, DIGITS, EXPONENTS, st.sampled_from(["", " "]), UNITS)
"""What looks like a quantity and is out of any range."""


@given(QUANTITIES)
def test_any_number_is_a_quantity_or_refused(text: str) -> None:
    """Whatever its exponent, its length and its script."""
    for parse in (parse_size, parse_duration):
        with contextlib.suppress(NotAQuantity):
            assert abs(parse(text)) <= MAX_BYTES


@given(st.text(max_size=20) | DIGITS)
def test_a_whole_number_is_read_or_none(text: str) -> None:
    """Of ASCII digits alone, below its bound."""
    number = whole_number(text, below=1000)
    assert number is None or (str(number) == text.strip().lstrip("0") or number == 0)
    assert number is None or 0 <= number < 1000


@given(st.integers(0, 2**32), st.sampled_from(["{:d}", "0{:o}", "0x{:x}", " 0X{:X} "]))
def test_a_number_tells_its_base_as_for_libvirt(number: int, way: str) -> None:
    """Prefixes as strtoul reads them; other digits are no number."""
    assert whole_number(way.format(number), base=0) == number
    assert whole_number(f"{number:x}", base=16) == number
    assert whole_number(f"0{number:o}8", base=0) is whole_number("0x", base=0) is whole_number("-1", base=0) is None


@given(st.text(max_size=20))
def test_any_text_is_a_quantity_or_refused(text: str) -> None:
    """No other exception comes out, whatever is read."""
    for parse in (parse_size, parse_duration):
        with contextlib.suppress(NotAQuantity):
            assert abs(parse(text)) <= MAX_BYTES
    assert has_unit(text) in (True, False)


def test_units_are_seen_whether_right_or_wrong() -> None:
    """Only letters after a number make a unit."""
    assert has_unit("5 GiB")
    assert has_unit("5 Gib")
    assert not has_unit("5")
    assert not has_unit("1e5")
    assert not has_unit("GiB")


def test_sizes_and_ages_for_the_eye_are_short() -> None:
    """Three figures or so; the unit says the rest."""
    assert [show_size(size) for size in (0, 512, 1536, 612 * GIB, 3 * TIB // 2, TIB)] == [
        "0 B", "512 B", "1.5 KiB", "612 GiB", "1.5 TiB", "1 TiB",
    ]  # fmt: skip
    assert [show_age(age) for age in (-1, 4.9, 60, 3 * 3600, 5 * 86400)] == ["0 s", "4 s", "1 m", "3 h", "5 d"]
