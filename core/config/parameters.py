"""The parameters of one block, each checked for its type; unknown ones are reported (specification, section 2)."""

import math
import re
from collections.abc import Iterable

from core import units
from core.codes import DiagnosticCode as Code
from core.config.report import DiagnosticReport, Path
from core.config.syntax import SourcePlace, TokenKind, render_path
from core.config.values import Field, ListValue, ObjectValue, Scalar, Value
from core.text import nearest

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)
_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_MEANT_TRUE = {"enable", "enabled", "1", "y", "t", "ja", "oui", "si", "active"}
_MEANT_FALSE = {"disable", "disabled", "0", "n", "f", "nein", "non", "inactive", "none"}
MAX_INT = 2**31 - 1
SMALL_MEMORY = 1024**2
"""Bytes without a unit below this are surely not meant where memory is."""


def shorten(text: str) -> str:
    """Quote a value for a message, cut where it is long."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


class Parameters:
    """Takes the parameters of a block one by one; a mistake goes to the report and gives None."""

    def __init__(self, block: ObjectValue, path: Path, report: DiagnosticReport) -> None:
        self.block = block
        self.path = path
        self.report = report
        self._taken: set[str] = set()

    # Taking

    def field(self, key: str) -> Field | None:
        """Take a parameter as it is; None where it is missing or null."""
        self._taken.add(key)
        found = self.block.fields.get(key)
        if found is None or (isinstance(found.value, Scalar) and found.value.kind is TokenKind.NULL):
            return None
        return found

    def place(self, key: str) -> SourcePlace:
        """Where a parameter's value stands; the block's first line where it is missing."""
        found = self.block.fields.get(key)
        return found.value.place if found is not None else self.block.place

    def require(self, key: str, *, example: str = "") -> Field | None:
        """Take a parameter that must be there."""
        found = self.field(key)
        if found is None and self.block.complete:
            self._report_missing(key, example)
        return found

    def _report_missing(self, key: str, example: str) -> None:
        hint = f"such as {key}: {example}" if example else ""
        others = [name for name in self.block.fields if name not in self._taken]
        if key in self.block.fields:
            hint = f"it is set to null in line {self.block.fields[key].place.line}"
        elif others and (meant := nearest(key, others)):
            hint = f"is '{meant}' in line {self.block.fields[meant].place.line} a misspelling of it?"
        message = f"'{key}' is missing from '{_last(self.path)}'"
        self.report.error(
            Code.MISSING_PARAMETER, self.block.place, (*self.path, key), message, hint, via=self.block.via
        )

    def unknown(self, known: Iterable[str], what: str) -> None:
        """Warn about every parameter that nothing took; `what` says what the block is."""
        names = list(known)
        for key, found in self.block.fields.items():
            if key in self._taken:
                continue
            meant = nearest(key, names)
            hint = f"did you mean {meant}?" if meant else f"valid parameters of {what}: {', '.join(names)}"
            message = f"unknown parameter '{key}' of {what}: it has no effect"
            self.report.warning(Code.UNKNOWN_PARAMETER, found.place, (*self.path, key), message, hint)

    # Reporting

    def error(self, code: Code, key: str, message: str, hint: str = "") -> None:
        """Report an error at a parameter's value."""
        self.report.error(code, self.place(key), (*self.path, key), message, hint, via=self._via(key))

    def warning(self, code: Code, key: str, message: str, hint: str = "") -> None:
        """Report a warning at a parameter's value."""
        self.report.warning(code, self.place(key), (*self.path, key), message, hint, via=self._via(key))

    def _via(self, key: str) -> tuple[SourcePlace, ...]:
        found = self.block.fields.get(key)
        return found.value.via if found is not None else ()

    # Types

    def scalar(self, key: str, what: str) -> Scalar | None:
        """Take a single value; an object or a list is an error, `what` names the type that was expected."""
        found = self.field(key)
        if found is None:
            return None
        if isinstance(found.value, Scalar):
            return found.value
        place = found.value.via[-1] if found.value.via else found.value.place
        message = f"'{key}' is {name_kind(found.value)}; expected {what}"
        self.report.error(Code.WRONG_TYPE, place, (*self.path, key), message)
        return None

    def text(self, key: str) -> str | None:
        """Take a String."""
        value = self.scalar(key, "a text")
        return None if value is None else value.text

    def boolean(self, key: str) -> bool | None:
        """Take a Boolean: on, off, true, false, yes, no."""
        value = self.scalar(key, "on or off")
        if value is None:
            return None
        if value.text in _BOOLEANS:
            return _BOOLEANS[value.text]
        lower = value.text.strip().lower()
        meant = lower if lower in _BOOLEANS else nearest(lower, _BOOLEANS)
        if lower in _MEANT_TRUE or lower in _MEANT_FALSE:
            meant = "true" if lower in _MEANT_TRUE else "false"
        hint = "write on, off, true, false, yes or no, in lower case"
        self.error(
            Code.NOT_A_BOOLEAN,
            key,
            f"'{key}' is {shorten(value.text)}, which is neither on nor off",
            f"did you mean {meant}?" if meant else hint,
        )
        return None

    def integer(self, key: str, least: int, most: int = MAX_INT) -> int | None:
        """Take an Int: whole, so that 8.0 is 8, and 7.5 an error."""
        value = self.scalar(key, "a whole number")
        if value is None:
            return None
        text = value.text
        if not _NUMBER.fullmatch(text):
            hint = "a whole number, without a unit" if units.has_unit(text) else "a whole number, such as 8"
            self.error(Code.NOT_AN_INTEGER, key, f"'{key}' is {shorten(text)}, which is not a whole number", hint)
            return None
        number = float(text)
        if not math.isfinite(number) or number != int(number):
            whole = f"write {int(number)} or {int(number) + 1}" if abs(number) < MAX_INT else ""
            self.error(Code.NOT_AN_INTEGER, key, f"'{key}' is {shorten(text)}, which is not a whole number", whole)
            return None
        if not least <= number <= most:
            self.error(Code.OUT_OF_RANGE, key, f"'{key}' is {shorten(text)}; it must be from {least} to {most}")
            return None
        return int(number)

    def real(self, key: str) -> float | None:
        """Take a Real; a size is an error that gives the number to write."""
        value = self.scalar(key, "a number")
        if value is None:
            return None
        number = _number(value.text)
        if number is None and not _is_not_finite(value.text) and units.has_unit(value.text):
            self._refuse_unit(key, value.text)
        elif number is None:
            self._refuse_number(key, value.text)
        return number

    def real_or_bytes(self, key: str) -> tuple[float, bool] | None:
        """Take a RealOrBytes; tells with the number whether it was written as a size."""
        value = self.scalar(key, "a number or a size")
        if value is None:
            return None
        number = _number(value.text)
        if number is not None:
            return number, False
        if _is_not_finite(value.text) or not units.has_unit(value.text):
            self._refuse_number(key, value.text)
            return None
        size = self._size(key, value.text)
        return None if size is None else (float(size), True)

    def size(self, key: str, *, least: int) -> int | None:
        """Take Bytes; below 1 MiB without a unit there is a warning."""
        value = self.scalar(key, "a size")
        if value is None:
            return None
        text = value.text
        size = self._size(key, text)
        if size is None:
            return None
        if size < least:
            self.error(
                Code.OUT_OF_RANGE,
                key,
                f"'{key}' is {shorten(text)}; it must be {'more than 0' if least == 1 else f'{least} or more'}",
            )
            return None
        if not units.has_unit(text) and 0 < size < SMALL_MEMORY:
            self.warning(
                Code.MISSING_UNIT,
                key,
                f"'{key}' is {text} bytes: a unit is missing",
                f"write {text} GiB, or {text} B for bytes",
            )
        return size

    def duration(self, key: str) -> float | None:
        """Take a Duration as seconds, more than 0; a bare number is milliseconds, with a warning."""
        value = self.scalar(key, "a duration")
        if value is None:
            return None
        try:
            seconds = units.parse_duration(value.text)
        except units.NotAQuantity as error:
            self.error(Code.NOT_A_DURATION, key, f"'{key}' is not a duration: {error}", error.hint)
            return None
        if seconds <= 0:
            self.error(
                Code.OUT_OF_RANGE,
                key,
                f"'{key}' is {shorten(value.text)}; it must be more than 0",
                "such as 30 seconds",
            )
            return None
        if not units.has_unit(value.text):
            message = f"'{key}' is {value.text} without a unit: that is milliseconds"
            self.warning(
                Code.MISSING_UNIT, key, message, f"write {value.text} seconds, or {value.text} ms for milliseconds"
            )
        return seconds

    def _size(self, key: str, text: str) -> int | None:
        try:
            return units.parse_size(text)
        except units.NotAQuantity as error:
            self.error(Code.NOT_A_SIZE, key, f"'{key}' is not a size: {error}", error.hint)
            return None

    def _refuse_number(self, key: str, text: str) -> None:
        if _NUMBER.fullmatch(text):
            self.error(
                Code.NOT_A_NUMBER,
                key,
                f"'{key}' is {shorten(text)}, which is too large for a number",
                "the largest is 1.7e308",
            )
        elif _is_not_finite(text):
            hint = "omit it for no limit; for an infinite cost use { curve: invalid }"
            self.error(Code.NOT_A_NUMBER, key, f"'{key}' is {shorten(text)}, which is not allowed as a number", hint)
        else:
            self.error(
                Code.NOT_A_NUMBER,
                key,
                f"'{key}' is {shorten(text)}, which is not a number",
                "such as 1.5, with a decimal point",
            )

    def _refuse_unit(self, key: str, text: str) -> None:
        message = f"'{key}' is {shorten(text)}; it is a plain number, without a unit"
        try:
            hint = f"write {units.parse_size(text)}"
        except units.NotAQuantity as error:
            hint = error.hint
        self.error(Code.UNEXPECTED_UNIT, key, message, hint)


def _number(text: str) -> float | None:
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def _is_not_finite(text: str) -> bool:
    return _NOT_FINITE.fullmatch(text.strip()) is not None


def name_kind(value: Value) -> str:
    """Name what a value is, in a message."""
    match value:
        case ObjectValue():
            return "a block { ... }"
        case ListValue():
            return "a list [ ... ]"
        case Scalar(_, kind, text):
            return "null" if kind is TokenKind.NULL else f"the value {shorten(text)}"


def _last(path: Path) -> str:
    return render_path(tuple(str(element) for element in path[-1:])) if path else "the file"
