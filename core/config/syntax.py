"""What a HOCON file says, before anything is merged or substituted: every key and value with its place."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.codes import DiagnosticCode


@dataclass(frozen=True, slots=True, order=True)
class SourcePlace:
    """A position in a file; `file` is relative to the main file's folder, line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class TokenKind(StrEnum):
    """What a literal is to HOCON. Sizes and durations are strings, or numbers where they have no unit."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    NULL = "null"


@dataclass(frozen=True, slots=True)
class Literal:
    """A scalar as written; `text` has quotes and escapes undone, numbers keep their spelling."""

    place: SourcePlace
    kind: TokenKind
    text: str
    quoted: bool = False
    blank: bool = False
    """Only the white space between two values of a concatenation."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A substitution, `${path}` or `${?path}`.

    In an included file the first `prefix` elements of the path are those of the block that includes it: the path is
    looked up with and then without them.
    """

    place: SourcePlace
    path: tuple[str, ...]
    optional: bool
    prefix: int = 0

    def __str__(self) -> str:
        return "${" + ("?" if self.optional else "") + render_path(self.path[self.prefix :]) + "}"


@dataclass(frozen=True, slots=True)
class Concatenation:
    """Values side by side: strings join, lists join, objects merge."""

    place: SourcePlace
    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class ListExpression:
    """A list of values."""

    place: SourcePlace
    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """An object as written: entries and includes in their order.

    `complete` is False where a mistake of syntax hides the rest.
    """

    place: SourcePlace
    entries: tuple[ObjectEntry | Include, ...]
    complete: bool = True


Expression = Literal | Reference | Concatenation | ListExpression | Block


@dataclass(frozen=True, slots=True)
class ObjectEntry:
    """A key (a path where it has dots) and its value; `appends` for `+=`."""

    place: SourcePlace
    path: tuple[str, ...]
    value: Expression
    appends: bool = False


@dataclass(frozen=True, slots=True)
class Include:
    """An include: `way` is empty or the word before the parenthesis (file, url, classpath, package)."""

    place: SourcePlace
    way: str
    target: str


class SyntaxMistake(Exception):
    """A file breaks HOCON's grammar; what follows the mistake was not read."""

    def __init__(self, code: DiagnosticCode, place: SourcePlace, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.place = place
        self.message = message
        self.hint = hint


_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def render_path(path: tuple[str, ...]) -> str:
    """Write a path as HOCON would: elements with dots, blanks or other marks in quotes."""
    return ".".join(key if key and set(key) <= _PLAIN else quote(key) for key in path)


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def quote(text: str) -> str:
    """Write a text as a quoted string that HOCON and JSON read back unchanged."""
    escaped = (_ESCAPES.get(c) or (f"\\u{ord(c):04x}" if ord(c) < 0x20 or 0x7F <= ord(c) <= 0x9F else c) for c in text)
    return '"' + "".join(escaped) + '"'
