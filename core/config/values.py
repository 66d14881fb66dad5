"""Resolved values: plain data with the place of each, ready to be checked."""

from __future__ import annotations

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
