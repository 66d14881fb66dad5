"""Substitutions resolved, as the HOCON reference does it, keeping the place of every value.

A substitution means the final value of its path, with one exception: where it is met while that very path is being
resolved, it means what stood there before (`path = ${path} more`). A *scope* says for which keys only earlier layers
count; everything below is a function of an expression and a scope.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from core.codes import DiagnosticCode as Code
from core.config.composition import Composed, Items, Joined, Section, Slot
from core.config.report import DiagnosticReport, Path
from core.config.syntax import Literal, Reference, SourcePlace, TokenKind, render_path
from core.config.values import Field, ListValue, ObjectValue, Scalar, Value
from core.text import nearest

Scope = frozenset[tuple[int, int]]
"""Pairs of a slot's identity and the number of its layers that count."""

_EVERYTHING: Scope = frozenset()

MAX_CHAIN = 200
"""Substitutions that may stand behind one another until a literal is reached."""

MAX_VALUES = 100_000
"""Values in a configuration, all substitutions replaced: a few lines can double each other into billions."""


@dataclass(frozen=True, slots=True)
class _Origin:
    """One source of a key's value: a slot, seen in a scope, reached through substitutions."""

    slot: Slot
    scope: Scope
    via: tuple[SourcePlace, ...] = ()


@dataclass(frozen=True, slots=True)
class _Object:
    """An object whose keys are not resolved yet; the origins of a key are newest first."""

    place: SourcePlace
    keys: dict[str, tuple[_Origin, ...]]
    complete: bool
    via: tuple[SourcePlace, ...] = ()


@dataclass(frozen=True, slots=True)
class _List:
    """A list whose items are not resolved yet."""

    place: SourcePlace
    items: tuple[tuple[Composed, Scope, tuple[SourcePlace, ...]], ...]
    via: tuple[SourcePlace, ...] = ()


_Shape = Scalar | _Object | _List


class _Unresolvable(Exception):
    """A value can't be resolved; it is reported with the path of the first key that needs it."""

    def __init__(
        self, code: Code, place: SourcePlace, message: str, hint: str = "", *, via: tuple[SourcePlace, ...] = ()
    ) -> None:
        super().__init__(message)
        self.code = code
        self.place = place
        self.hint = hint
        self.via = via


class _TooMany(Exception):
    """All substitutions together give more values than any configuration has."""


class Resolver:
    """Resolves one composed configuration; what can't be resolved goes to the report, and is left out."""

    def __init__(self, root: Section, environment: Mapping[str, str], report: DiagnosticReport) -> None:
        self._root = root
        self._environment = environment
        self._report = report
        self._shapes: dict[tuple[int, Scope, bool], _Shape | None] = {}
        self._running: set[int] = set()
        self._whole: set[tuple[tuple[int, Scope], ...]] = set()
        """Expressions and slots whose whole value was found to be free of cycles."""
        self._meant: dict[int, _Shape | None] = {}
        self._failed: dict[tuple[int, Scope], _Unresolvable] = {}
        self._values = 0
        self._cuts = 0
        """Optional substitutions left out because they refer to themselves; what is found meanwhile is not kept."""

    def resolve(self) -> ObjectValue:
        """Resolve everything."""
        try:
            value = self._finish(self._section(self._root, _EVERYTHING), ())
        except _TooMany:
            self._report.error(
                Code.TOO_MANY_VALUES, self._root.place, (), f"substitutions expand to more than {MAX_VALUES} values"
            )
            return ObjectValue(self._root.place, {}, complete=False)
        assert isinstance(value, ObjectValue)  # noqa: S101 - a section is an object
        return value

    # Whole values

    def _finish(self, shape: _Shape, path: Path) -> Value:
        self._count()
        match shape:
            case Scalar():
                return shape
            case _List(place, items, via):
                values = []
                for index, (expression, scope, item_via) in enumerate(items):
                    try:
                        item = self._shape(expression, scope, whole=True)
                    except _Unresolvable as error:
                        self._tell(error, (*path, index))
                        continue
                    if item is not None:
                        values.append(self._finish(_through(item, item_via), (*path, index)))
                return ListValue(place, tuple(values), via)
            case _Object(place, keys, complete, via):
                fields = {}
                for key, origins in keys.items():
                    try:
                        child = self._join_origins(origins, whole=True)
                    except _Unresolvable as error:
                        self._tell(error, (*path, key))
                        complete = False
                        continue
                    if child is not None:
                        fields[key] = Field(origins[0].slot.layers[-1].place, self._finish(child, (*path, key)))
                return ObjectValue(place, fields, complete, via)

    def _tell(self, error: _Unresolvable, path: Path) -> None:
        self._report.error(error.code, error.place, path, str(error), error.hint, via=error.via)

    # Shapes

    def _join_origins(self, origins: tuple[_Origin, ...], *, whole: bool) -> _Shape | None:
        joined: _Shape | None = None
        for origin in origins:
            shape = self._slot(origin.slot, origin.scope, whole=whole)
            if shape is None:
                continue
            joined = _over(joined, _through(shape, origin.via))
            if not isinstance(shape, _Object):
                break
        return joined

    def _slot(self, slot: Slot, scope: Scope, *, whole: bool) -> _Shape | None:
        key = (id(slot), scope, whole)
        if key in self._shapes:
            return self._shapes[key]
        if (id(slot), scope) in self._failed:
            raise self._failed[id(slot), scope]
        found = self._shapes.get((id(slot), scope, not whole))
        if found is not None and not isinstance(found, _Object):
            if whole:
                self._check_whole(found)
        else:
            cuts = self._cuts
            try:
                found = self._layers(slot, scope, whole=whole)
            except _Unresolvable as error:
                self._failed[id(slot), scope] = error
                raise
            if self._running and self._cuts > cuts:
                return found
        self._shapes[key] = found
        return found

    def _layers(self, slot: Slot, scope: Scope, *, whole: bool) -> _Shape | None:
        count = next((limit for identity, limit in scope if identity == id(slot)), len(slot.layers))
        joined: _Shape | None = None
        barred = False
        for index in range(count - 1, -1, -1):
            value = slot.layers[index].value
            inner = scope
            if len(slot.layers) > 1 and isinstance(value, Reference | Joined):
                inner = frozenset({pair for pair in scope if pair[0] != id(slot)} | {(id(slot), index)})
            shape = self._shape(value, inner, whole=whole)
            if shape is None:
                continue
            if whole and len(slot.layers) > 1:  # what a later layer overrides has to be resolvable too
                self._check_whole(shape)
            if joined is None:
                joined = shape
            elif not barred:
                joined = _over(joined, shape)
            barred |= not isinstance(shape, _Object)
        return joined

    def _shape(self, value: Composed, scope: Scope, *, whole: bool) -> _Shape | None:
        match value:
            case Literal(place, kind, text):
                return Scalar(place, kind, text)
            case Section():
                return self._section(value, scope)
            case Items(place, items):
                return _List(place, tuple((item, scope, ()) for item in items))
            case Reference():
                return self._reference(value, scope, whole=whole)
            case Joined(place, parts):
                shapes = [(part, self._shape(part, scope, whole=True)) for part in parts]
                for _, shape in shapes:
                    if shape is not None:
                        self._check_whole(shape)
                return self._concatenate(place, shapes)

    def _section(self, section: Section, scope: Scope) -> _Object:
        keys: dict[str, tuple[_Origin, ...]] = {key: (_Origin(slot, scope),) for key, slot in section.slots.items()}
        return _Object(section.place, keys, section.complete)

    # Substitutions

    def _reference(self, reference: Reference, scope: Scope, *, whole: bool) -> _Shape | None:
        """Find what a substitution means; `whole` where all of it is needed, and not a key inside it.

        What it was found to mean once it means everywhere, also where its key is seen in another scope.
        """
        if id(reference) in self._meant:
            return self._meant[id(reference)]
        if id(reference) in self._running:
            raise _Cycle(reference)
        if len(self._running) >= MAX_CHAIN:
            message = f"a chain of more than {MAX_CHAIN} substitutions ends with {reference}"
            raise _Unresolvable(Code.NESTED_TOO_DEEPLY, reference.place, message)
        self._running.add(id(reference))
        cuts = self._cuts
        try:
            shape = self._look_up(reference.path, scope)
            if shape is None and reference.prefix:
                shape = self._look_up(reference.path[reference.prefix :], scope)
            if shape is not None and whole:
                self._check_whole(shape)
        except _Cycle as cycle:
            if reference.optional and cycle.reference is reference:
                self._cuts += 1
                return None  # in a cycle of several, what is left out would depend on where one begins
            message = f"the substitution {reference} refers to itself, directly or in a cycle"
            raise _Unresolvable(Code.SUBSTITUTION_CYCLE, reference.place, message) from None
        finally:
            self._running.discard(id(reference))
        meant = _through(shape, (reference.place,)) if shape is not None else self._from_outside(reference)
        if whole and self._cuts == cuts:
            self._meant[id(reference)] = meant
        return meant

    def _from_outside(self, reference: Reference) -> Scalar | None:
        plain = reference.path[reference.prefix :]
        variable = self._environment.get(".".join(plain))
        if variable is not None:
            return Scalar(reference.place, TokenKind.STRING, variable)
        if reference.optional:
            return None
        raise self._unresolved(reference, plain)

    def _look_up(self, path: tuple[str, ...], scope: Scope) -> _Shape | None:
        first = self._root.slots.get(path[0])
        shape = self._slot(first, scope, whole=False) if first is not None else None
        for key in path[1:]:
            if not isinstance(shape, _Object):
                return None
            origins = shape.keys.get(key)
            if origins is None:
                return None
            shape = self._join_origins(origins, whole=False)
        return shape

    def _check_whole(self, shape: _Shape) -> None:
        """Resolve everything inside a value; raises _Cycle where that needs the value itself."""
        match shape:
            case _List(_, items):
                for expression, scope, _ in items:
                    self._check_once(((id(expression), scope),), partial(self._shape, expression, scope, whole=True))
            case _Object(_, keys):
                for origins in keys.values():
                    mark = tuple((id(origin.slot), origin.scope) for origin in origins)
                    self._check_once(mark, partial(self._join_origins, origins, whole=True))
            case Scalar():
                pass

    def _check_once(self, mark: tuple[tuple[int, Scope], ...], find: Callable[[], _Shape | None]) -> None:
        if mark in self._whole:
            return
        self._count()
        cuts = self._cuts
        shape = find()
        if shape is not None:
            self._check_whole(shape)
        if self._cuts == cuts:
            self._whole.add(mark)

    def _count(self) -> None:
        self._values += 1
        if self._values > MAX_VALUES:
            raise _TooMany

    def _unresolved(self, reference: Reference, plain: tuple[str, ...]) -> _Unresolvable:
        near = nearest(render_path(plain), (path for path in self._paths(self._root, ()) if path))
        hint = f"did you mean ${{{near}}}?" if near else "define it, or write ${?...} if it is optional"
        message = f"the substitution {reference} has no value: '{render_path(plain)}' is not defined"
        if len(plain) == 1:
            message += ", and there is no such environment variable"
        return _Unresolvable(Code.UNRESOLVED_SUBSTITUTION, reference.place, message, hint)

    def _paths(self, section: Section, path: tuple[str, ...]) -> list[str]:
        paths = []
        for key, slot in section.slots.items():
            inner = (*path, key)
            paths.append(render_path(inner))
            for layer in slot.layers:
                if isinstance(layer.value, Section):
                    paths += self._paths(layer.value, inner)
        return paths

    # Concatenation

    def _concatenate(self, place: SourcePlace, parts: list[tuple[Composed, _Shape | None]]) -> _Shape | None:
        joined: _Shape | None = None
        for expression, shape in parts:
            if shape is None:
                continue
            blank = isinstance(expression, Literal) and expression.blank
            if joined is None:
                joined = shape
            elif isinstance(joined, Scalar) and isinstance(shape, Scalar):
                joined = Scalar(place, TokenKind.STRING, joined.text + shape.text, (*joined.via, *shape.via))
            elif isinstance(joined, _Object) and isinstance(shape, _Object):
                joined = _over(shape, joined)
            elif isinstance(joined, _List) and isinstance(shape, _List):
                joined = _List(place, _items(joined) + _items(shape))
            elif not (blank and isinstance(joined, _Object | _List)):
                message = f"{_name(joined)} and {_name(shape)} next to each other can't be joined"
                hint = "is a comma or newline missing?"
                raise _Unresolvable(Code.MIXED_VALUE, place, message, hint, via=(*joined.via, *shape.via))
        return joined


class _Cycle(Exception):
    """A substitution's value is needed to find that value."""

    def __init__(self, reference: Reference) -> None:
        super().__init__()
        self.reference = reference


def _items(shape: _List) -> tuple[tuple[Composed, Scope, tuple[SourcePlace, ...]], ...]:
    return tuple((item, scope, (*shape.via, *via)) for item, scope, via in shape.items)


def _name(shape: _Shape) -> str:
    match shape:
        case Scalar():
            return f"the value '{shape.text}'"
        case _List():
            return "a list"
        case _Object():
            return "an object"


def _through(shape: _Shape, via: tuple[SourcePlace, ...]) -> _Shape:
    """Note that a value came through substitutions."""
    if not via:
        return shape
    match shape:
        case Scalar(place, kind, text, old):
            return Scalar(place, kind, text, (*old, *via))
        case _List(place, items, old):
            return _List(place, items, (*old, *via))
        case _Object(place, keys, complete, old):
            inner = {
                key: tuple(_Origin(o.slot, o.scope, (*o.via, *via)) for o in origins) for key, origins in keys.items()
            }
            return _Object(place, inner, complete, (*old, *via))


def _over(newer: _Shape | None, older: _Shape) -> _Shape:
    """Merge a newer value over an older one: only objects merge."""
    if newer is None:
        return older
    if not isinstance(newer, _Object) or not isinstance(older, _Object):
        return newer
    keys = dict(older.keys)
    for key, origins in newer.keys.items():
        keys[key] = origins + keys.get(key, ())
    return _Object(newer.place, keys, newer.complete and older.complete, newer.via)
