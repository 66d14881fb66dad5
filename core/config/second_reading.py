"""A second reading of every substitution, by pyhocon; where it differs from ours, neither is trusted.

Pyhocon reads literals in ways of its own (durations, numbers, escapes, white space), so it never sees one: it gets
the composed tree with a token for each key and each literal, one value to a key, and only those parts that
substitutions reach. What it makes of that is compared with our own reading, value by value.
"""

import contextlib
import logging
import re
from collections.abc import Iterator, Mapping

import pyparsing
from pyhocon import ConfigFactory
from pyhocon.exceptions import ConfigException
from pyparsing import ParserElement

from core.codes import DiagnosticCode as Code
from core.config.composition import Composed, Items, Joined, Section, Slot
from core.config.report import DiagnosticReport
from core.config.syntax import Literal, Reference
from core.config.values import ListValue, ObjectValue, Scalar, Value

Path = tuple[str, ...]

_TOKEN = re.compile(r"t(\d+)_")


class _Normalized:
    """The composed tree as a text in which pyhocon finds substitutions, and nothing else to interpret."""

    def __init__(self, root: Section, resolved: ObjectValue, environment: Mapping[str, str]) -> None:
        self._root = root
        self._resolved = resolved
        self._environment = environment
        self._keys: dict[str, str] = {}
        self._texts: list[str] = []
        self._targets: set[Path] = set()

    def write(self) -> str:
        """Write the parts that substitutions reach; empty where there is no substitution."""
        references = list(_references(self._root))
        self._targets = {path for reference in references if (path := self._target(reference)) is not None}
        return self._section(self._root, (), whole=False) if references else ""

    def key(self, key: str) -> str:
        """Return the token of a key."""
        return self._keys.setdefault(key, f"k{len(self._keys)}")

    def text(self, tokens: str) -> str:
        """Return the text that a sequence of tokens stands for."""
        return "".join(self._texts[int(number)] for number in _TOKEN.findall(tokens))

    def _token(self, text: str) -> str:
        self._texts.append(text)
        return f'"t{len(self._texts) - 1}_"'

    def _target(self, reference: Reference) -> Path | None:
        for path in (reference.path, reference.path[reference.prefix :]):
            if _find(self._resolved, path) is not None:
                return path
        return None

    def _section(self, section: Section, path: Path, *, whole: bool) -> str:
        """Write an object: all of it where it merges with what a substitution gives, else what is reached."""
        entries = []
        for key, slot in section.slots.items():
            inner = (*path, key)
            if whole or (self._is_reached(slot, inner) and _find(self._resolved, inner) is not None):
                written = self._slot(slot, inner, whole=whole)
                if written:
                    entries.append(f"{self.key(key)}: {written}")
        return "{" + ", ".join(entries) + "}"

    def _is_reached(self, slot: Slot, path: Path) -> bool:
        if any(target[: len(path)] == path or path[: len(target)] == target for target in self._targets):
            return True
        return any(next(_references(layer.value), None) is not None for layer in slot.layers)

    def _slot(self, slot: Slot, path: Path, *, whole: bool) -> str:
        """Write the values of a key as one: what a later value does not replace stands before it."""
        is_object = isinstance(_find(self._resolved, path), ObjectValue)
        if len(slot.layers) == 1 and isinstance(slot.layers[0].value, Section):
            return self._section(slot.layers[0].value, path, whole=whole)
        written = ""
        for layer in slot.layers:
            parts = layer.value.parts if isinstance(layer.value, Joined) else (layer.value,)
            refers_to_itself = any(_is_self(part, path) for part in parts)
            value = "".join(written if _is_self(part, path) else self._value(part, path) for part in parts)
            if is_object and not refers_to_itself:
                written += value
            elif value:
                written = value
        return written

    def _value(self, value: Composed, path: Path) -> str:
        match value:
            case Literal():
                return self._token(value.text)
            case Section():
                return self._section(value, path, whole=True)
            case Items(_, items):
                return "[" + ", ".join(filter(None, (self._value(item, ()) for item in items))) + "]"
            case Joined(_, parts):
                return "".join(self._value(part, path) for part in parts)
            case Reference():
                return self._reference(value)

    def _reference(self, reference: Reference) -> str:
        target = self._target(reference)
        if target is not None:
            return "${" + ".".join(self.key(key) for key in target) + "}"
        variable = self._environment.get(".".join(reference.path[reference.prefix :]))
        return self._token(variable) if variable is not None else ""


def compare(root: Section, resolved: ObjectValue, environment: Mapping[str, str], report: DiagnosticReport) -> None:
    """Report every value that comes from substitutions and that pyhocon reads differently."""
    normalized = _Normalized(root, resolved, environment)
    text = normalized.write()
    if not text:
        return
    second = _parse(text)
    if second is not None:
        _compare(resolved, second, (), normalized, report)


def _parse(text: str) -> object | None:
    """Let pyhocon read a text; None where it gives up, which is no statement about the values."""
    logging.getLogger("pyhocon").setLevel(logging.CRITICAL)
    with _kept_white_space():
        try:
            return ConfigFactory.parse_string(text).as_plain_ordered_dict()  # type: ignore[no-any-return]
        except (ConfigException, pyparsing.ParseBaseException, RecursionError, AttributeError, TypeError, KeyError):
            return None


@contextlib.contextmanager
def _kept_white_space() -> Iterator[None]:
    """Undo what a failed parse of pyhocon leaves changed in pyparsing, for everyone in this process."""
    kept = ParserElement.DEFAULT_WHITE_CHARS
    try:
        yield
    finally:
        ParserElement.set_default_whitespace_chars(kept)


def _compare(first: Value, second: object, path: Path, normalized: _Normalized, report: DiagnosticReport) -> None:
    match first:
        case ObjectValue():
            if isinstance(second, dict):
                for key, field in first.fields.items():
                    if normalized.key(key) in second:
                        _compare(field.value, second[normalized.key(key)], (*path, key), normalized, report)
                return
        case ListValue(_, items):
            if isinstance(second, list) and len(second) == len(items):
                for item, other in zip(items, second, strict=True):
                    _compare(item, other, path, normalized, report)
                return
        case Scalar():
            if isinstance(second, str) and normalized.text(second) == first.text:
                return
    message = "this value is ambiguous: it depends on the order in which substitutions are resolved"
    report.error(
        Code.SUBSTITUTION_AMBIGUOUS,
        first.place,
        path,
        message,
        "avoid the self-reference or the substitution",
        via=first.via,
    )


def _find(value: Value, path: Path) -> Value | None:
    for key in path:
        if not isinstance(value, ObjectValue) or key not in value.fields:
            return None
        value = value.fields[key].value
    return value


def _is_self(value: Composed, path: Path) -> bool:
    return isinstance(value, Reference) and path in (value.path, value.path[value.prefix :])


def _references(value: Composed) -> Iterator[Reference]:
    match value:
        case Reference():
            yield value
        case Section(_, slots, _):
            for slot in slots.values():
                for layer in slot.layers:
                    yield from _references(layer.value)
        case Joined(_, parts) | Items(_, parts, _):
            for part in parts:
                yield from _references(part)
        case Literal():
            return
