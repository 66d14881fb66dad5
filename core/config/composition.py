"""Blocks and includes composed into one tree: every key with all values given to it, oldest first.

Literal objects are merged here, later scalars and lists replace earlier values, and values that a substitution may
reach are kept in layers, since a substitution may mean what stood before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from core.codes import DiagnosticCode as Code
from core.config.duplicates import Duplicates
from core.config.report import DiagnosticReport
from core.config.sources import IncludeRefused, Source, Sources
from core.config.syntax import (
    Block,
    Concatenation,
    Expression,
    Include,
    ListExpression,
    Literal,
    ObjectEntry,
    Reference,
    SourcePlace,
)

Path = tuple[str, ...]


@dataclass(slots=True)
class Section:
    """A merged object. `place` is the first line of its block; incomplete where a mistake hides a part of it."""

    place: SourcePlace
    slots: dict[str, Slot] = field(default_factory=dict)
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Joined:
    """Values side by side, composed."""

    place: SourcePlace
    parts: tuple[Composed, ...]


@dataclass(frozen=True, slots=True)
class Items:
    """A list, composed."""

    place: SourcePlace
    items: tuple[Composed, ...]
    fixed: bool
    """Whether no substitution is inside."""


Composed = Literal | Reference | Joined | Items | Section


@dataclass(frozen=True, slots=True)
class Layer:
    """A value given to a key, and where the key stands."""

    place: SourcePlace
    value: Composed


@dataclass(slots=True)
class Slot:
    """A key's values, oldest first."""

    layers: list[Layer] = field(default_factory=list)

    def add(self, layer: Layer) -> None:
        """Give the key one more value."""
        value = layer.value
        if isinstance(value, Literal) or (isinstance(value, Items) and value.fixed):
            self.layers = [layer]
        elif isinstance(value, Section) and self.layers and isinstance(self.layers[-1].value, Section):
            merge(self.layers[-1].value, value)
        elif isinstance(value, Section) and [type(old.value) for old in self.layers] == [Items] and not _refers(value):
            self.layers = [layer]
        else:
            self.layers.append(layer)


def merge(section: Section, newer: Section) -> None:
    """Merge a newer object into an older one."""
    section.complete &= newer.complete
    for key, slot in newer.slots.items():
        own = section.slots.setdefault(key, Slot())
        for layer in slot.layers:
            own.add(layer)


@dataclass(frozen=True, slots=True)
class _Position:
    """Where in the tree an expression stands: its absolute path, and the length of what its file was included under."""

    path: Path
    prefix: int
    source: Source
    in_list: bool = False
    chain: tuple[str, ...] = ()
    """Names of the files from the main one to this one."""


class Composer:
    """Composes the files of one configuration; mistakes of syntax and includes go to the report."""

    def __init__(self, sources: Sources, report: DiagnosticReport) -> None:
        self.sources = sources
        self.report = report
        self.included_at: dict[str, list[SourcePlace]] = {}
        """Where each file is included, by file name."""
        self._duplicates = Duplicates(report)
        self._told: set[str] = set()

    def compose(self, main: Source) -> Section:
        """Compose the main file and all that it includes."""
        self._tell(main)
        return self._block(main.scan.root, _Position((), 0, main, chain=(main.name,)))

    def _tell(self, source: Source) -> None:
        if source.name in self._told:
            return
        self._told.add(source.name)
        if (mistake := source.scan.mistake) is not None:
            self.report.error(mistake.code, mistake.place, (), mistake.message, mistake.hint)
        for place in source.scan.joined:
            message = "two objects side by side are merged into one"
            self.report.warning(
                Code.MERGED_BLOCKS, place, (), message, "put a comma between them, and [ ] around a list of them"
            )

    def _block(self, block: Block, at: _Position, place: SourcePlace | None = None) -> Section:
        section = Section(place or block.place, complete=block.complete)
        self._duplicates.check(block, at.path, at.source.name)
        for entry in block.entries:
            if isinstance(entry, Include):
                self._include(entry, section, at, alone=len(block.entries) == 1)
            else:
                self._entry(entry, section, at)
        return section

    def _entry(self, entry: ObjectEntry, section: Section, at: _Position) -> None:
        path = at.path + entry.path
        inner = _Position(path, at.prefix, at.source, at.in_list or entry.appends, at.chain)
        if entry.appends and at.in_list:
            self.report.error(
                Code.APPEND_IN_LIST, entry.place, path, "'+=' does not work inside a list", "write the whole list"
            )
            return
        value = self._value(entry.value, inner, entry.place)
        if entry.appends:
            before = Reference(entry.place, path, optional=True, prefix=at.prefix)
            value = Joined(entry.place, (before, _items(value.place, (value,))))
        layer = Layer(entry.place, value)
        for key in reversed(entry.path[1:]):
            layer = Layer(entry.place, Section(entry.place, {key: Slot([layer])}))
        section.slots.setdefault(entry.path[0], Slot()).add(layer)

    def _value(self, value: Expression, at: _Position, key_place: SourcePlace | None) -> Composed:
        match value:
            case Literal():
                return value
            case Reference(place, path, optional, _):
                return Reference(place, at.path[: at.prefix] + path, optional, at.prefix)
            case Block():
                return self._block(value, at, key_place)
            case ListExpression(place, items):
                inside = _Position(at.path, at.prefix, at.source, in_list=True, chain=at.chain)
                return _items(place, tuple(self._value(item, inside, None) for item in items))
            case Concatenation(place, parts):
                return Joined(place, tuple(self._value(part, at, key_place) for part in parts))

    def _include(self, include: Include, section: Section, at: _Position, *, alone: bool) -> None:
        try:
            source = self._read(include, at)
        except IncludeRefused as error:
            section.complete = False
            self.report.error(error.code, include.place, at.path, str(error), error.hint)
            return
        self.included_at.setdefault(source.name, []).append(include.place)
        self._tell(source)
        root = source.scan.root
        chain = (*at.chain, source.name)
        included = self._block(root, _Position(at.path, len(at.path), source, at.in_list, chain))
        if at.in_list and _refers(included):
            message = f"{source.name} has substitutions: these do not work in a file included inside a list"
            self.report.error(Code.INCLUDE_IN_LIST, include.place, at.path, message)
        if alone and at.path:
            section.place = SourcePlace(source.name, 1, 1)
        merge(section, included)

    def _read(self, include: Include, at: _Position) -> Source:
        if include.way in ("url", "classpath", "package") or "://" in include.target:
            message = f"include of {include.way or 'a URL'}: only files are included, not {include.target}"
            raise IncludeRefused(
                Code.INCLUDE_UNSUPPORTED, message, "copy the file beside this one and include it by name"
            )
        if include.way == "file" and not include.target.startswith("/"):
            message = f'other readers look for file("{include.target}") in the folder that they run in'
            self.report.warning(
                Code.INCLUDE_RELATIVE, include.place, at.path, message, f'write include "{include.target}"'
            )
        source = self.sources.read_included(include.target, at.source.path)
        if source.name in at.chain:
            cycle = " includes ".join((*at.chain[at.chain.index(source.name) :], source.name))
            raise IncludeRefused(
                Code.INCLUDE_CYCLE, f"the include forms a cycle: {cycle}", "remove one of these includes"
            )
        if len(at.chain) > 50:
            raise IncludeRefused(Code.NESTED_TOO_DEEPLY, "more than 50 files include one another")
        return source


def _items(place: SourcePlace, items: tuple[Composed, ...]) -> Items:
    return Items(place, items, not any(_refers(item) for item in items))


def _refers(value: Composed) -> bool:
    match value:
        case Reference():
            return True
        case Section(_, slots, _):
            return any(_refers(layer.value) for slot in slots.values() for layer in slot.layers)
        case Joined(_, parts):
            return any(_refers(part) for part in parts)
        case Items(_, _, fixed):
            return not fixed
        case Literal():
            return False
