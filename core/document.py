"""The keys of a JSON document from outside, read by type: what makes no sense is refused with its place."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from core.hardware import NotAPciAddress, PciAddress
from core.text import nearest
from core.units import MAX_BYTES

Choice = TypeVar("Choice", bound=StrEnum)


class Malformed(ValueError):
    """Something in a document is not what it should be; `where` is its place and `hint` what would be right."""

    def __init__(self, where: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.where = where
        self.hint = hint


def read_json(text: str) -> Any:
    """Read one JSON document, strictly: neither NaN nor numbers past what a double holds. Raises ValueError."""
    try:
        return json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except RecursionError as error:
        message = "it is nested too deeply"
        raise ValueError(message) from error


def _refuse_constant(name: str) -> float:
    message = f"{name} is not a JSON number"
    raise ValueError(message)


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        message = f"{digits} is too large for a double"
        raise ValueError(message)
    return number


class Fields:
    """The keys of one object of the document, read by type; `where` is its place, empty for the document itself."""

    __slots__ = ("content", "where")

    def __init__(self, content: object, where: str) -> None:
        if not isinstance(content, dict):
            raise Malformed(where or "the document", f"is {kind_of(content)}", "expected an object: { ... }")
        self.content: dict[str, Any] = content
        self.where = where

    def at(self, key: str) -> str:
        """Place of a key."""
        return f"{self.where}.{key}" if self.where else key

    def _wrong(self, key: str, needed: str) -> Malformed:
        if key not in self.content:
            return Malformed(self.at(key), "is missing", f"expected {needed}")
        value = self.content[key]
        shown = repr(value) if isinstance(value, str | int | float) and value is not True else kind_of(value)
        return Malformed(self.at(key), f"is {shown[:100]}", f"expected {needed}")

    def _get(self, key: str, default: object) -> Any:
        value = self.content.get(key)
        return default if value is None else value

    def text(self, key: str, default: str | None = None, *, may_be_empty: bool = False) -> str:
        """Read a text that can be printed, empty only where it may be."""
        value = self._get(key, default)
        if not isinstance(value, str) or not (value or may_be_empty):
            raise self._wrong(key, "a text")
        try:
            value.encode()
        except UnicodeEncodeError as error:  # half of a surrogate pair, which JSON can spell and nothing can print
            raise Malformed(
                self.at(key), "contains half a surrogate pair", "characters above U+FFFF need both surrogates"
            ) from error
        return value

    def optional_text(self, key: str) -> str | None:
        """Read a text that may be missing."""
        return None if self.content.get(key) is None else self.text(key)

    def integer(self, key: str, default: int | None = None) -> int:
        """Read a whole number from 0 on, below 2^63; 8.0 is one too."""
        value = self._get(key, default)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_BYTES:
            raise self._wrong(key, "a whole number of bytes" if key == "memory" else "a whole number of at least 0")
        return value

    def number(self, key: str, default: float | None) -> float | None:
        """Read a number from 0 on, or null."""
        value = self.content.get(key, default)
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= MAX_BYTES:
            raise self._wrong(key, "a number of at least 0, or null,")
        return float(value)

    def real(self, key: str) -> float | None:
        """Read a number of either sign, or null."""
        value = self.content.get(key)
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self._wrong(key, "a number, or null,")
        try:
            return float(value)
        except OverflowError as error:
            raise self._wrong(key, "a number that fits in a double") from error

    def boolean(self, key: str, default: bool) -> bool:
        """Read true or false."""
        value = self._get(key, default)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def choice(self, key: str, choices: type[Choice], default: Choice | None = None) -> Choice:
        """Read one of an enumeration's values."""
        value = self._get(key, default)
        known = [choice.value for choice in choices]
        if not isinstance(value, str) or value not in known:
            wrong = self._wrong(key, "one of " + ", ".join(known))
            meant = did_you_mean(value, known) if isinstance(value, str) else ""
            raise Malformed(wrong.where, str(wrong), meant or wrong.hint)
        return choices(value)

    def moment(self, key: str) -> float | None:
        """Read a time, as seconds since the epoch to the millisecond; without a zone it is in UTC."""
        value = self.content.get(key)
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(value)
            seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (TypeError, ValueError, OverflowError) as error:
            raise self._wrong(key, "a time such as 2026-11-22T10:00:00Z") from error
        return round(seconds, 3)

    def sequence(self, key: str, default: tuple[Any, ...] | None = None) -> list[Any] | tuple[Any, ...]:
        """Read a list."""
        value = self._get(key, default)
        if not isinstance(value, list | tuple):
            raise self._wrong(key, "a list")
        return value

    def addresses(self, key: str) -> tuple[PciAddress, ...]:
        """Read a list of PCI addresses; a missing one is empty."""
        found = []
        for index, value in enumerate(self.sequence(key, ())):
            where = f"{self.at(key)}[{index}]"
            if not isinstance(value, str):
                raise Malformed(where, f"is {kind_of(value)}", "expected a PCI address, such as 0000:41:00.0")
            try:
                found.append(PciAddress.parse(value))
            except NotAPciAddress as error:
                raise Malformed(where, f"is invalid: {error}") from error
        return tuple(found)


def kind_of(value: object) -> str:
    """Name what a value is, in a message."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return "a text"
        case int() | float():
            return "a number"
        case list():
            return "a list"
        case _:
            return "an object"


def did_you_mean(value: str, known: Iterable[str]) -> str:
    """Return the question whether a known word was meant; empty where none is close."""
    meant = nearest(value, known)
    return f"did you mean {meant!r}?" if meant else ""
