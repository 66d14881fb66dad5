"""Resolved values: plain data with the place of each, ready to be checked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from core.config.syntax import SourcePlace, TokenKind


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text, number, Boolean or null. `via` holds the substitutions that it came through."""

    place: SourcePlace
    kind: TokenKind
    text: str
    via: tuple[SourcePlace, ...] = ()


@dataclass(frozen=True, slots=True)
class ListValue:
    """A list."""

    place: SourcePlace
    items: tuple[Value, ...]
    via: tuple[SourcePlace, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """A key of an object: where it stands, and its value."""

    place: SourcePlace
    value: Value


@dataclass(frozen=True, slots=True)
class ObjectValue:
    """An object. `place` is its block's first line; incomplete where a mistake hides a part of it."""

    place: SourcePlace
    fields: dict[str, Field] = field(default_factory=dict)
    complete: bool = True
    via: tuple[SourcePlace, ...] = ()


Value = Scalar | ListValue | ObjectValue

_INDEX = re.compile(r"\+?[0-9]{1,10}", re.ASCII)
_LARGEST_INDEX = 2**31 - 1


def list_elements(value: Value) -> list[tuple[int | str, Value]]:
    """Return the elements of a list, each with its index or key; empty for what is none.

    A block whose keys are whole numbers is one, in their order, as for the reference reader; its other keys are none
    of its elements. Of several spellings of a number the last one counts.
    """
    if isinstance(value, ListValue):
        return list(enumerate(value.items))
    if not isinstance(value, ObjectValue):
        return []
    numbered = {
        int(key): (key, found.value)
        for key, found in value.fields.items()
        if _INDEX.fullmatch(key) and int(key) <= _LARGEST_INDEX
    }
    return [numbered[index] for index in sorted(numbered)]
