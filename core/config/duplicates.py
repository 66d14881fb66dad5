"""Keys given twice in one block: HOCON merges or overrides them without a word (specification, section 2)."""

from core.codes import DiagnosticCode as Code
from core.config.report import DiagnosticReport
from core.config.syntax import (
    Block,
    Concatenation,
    Expression,
    ListExpression,
    Literal,
    ObjectEntry,
    Reference,
    SourcePlace,
    TokenKind,
    render_path,
)

Path = tuple[str, ...]

_ROOT = ("ticrypt", "vm")
_SECTIONS = {"cost-functions": "cost function", "hardware-profiles": "hardware profile", "realms": "realm"}
_ATTRIBUTES = ("vms", "vcpus", "memory")


def definition(path: Path) -> str:
    """Say what an object at this path defines (a cost function, a profile, a realm, a curve); empty for a section."""
    if path[:2] != _ROOT or len(path) < 4 or path[2] not in _SECTIONS:
        return ""
    if len(path) == 4:
        return _SECTIONS[path[2]]
    if path[2] != "cost-functions":
        return ""
    inner = path[4:]
    while inner and inner[-1] in ("low", "high"):
        inner = inner[:-1]
    is_curve = (len(inner) == 1 and inner[0] in _ATTRIBUTES) or (len(inner) == 2 and inner[0] == "devices")
    return "curve" if is_curve else ""


def is_foreign(path: Path) -> bool:
    """Return whether a path belongs to another service that shares the file."""
    return path[:2] == _ROOT and len(path) > 2 and path[2] not in _SECTIONS


class Duplicates:
    """Compares the entries of each block with each other, and definitions within each file."""

    def __init__(self, report: DiagnosticReport) -> None:
        self._report = report
        self._definitions: dict[tuple[str, Path], SourcePlace] = {}

    def check(self, block: Block, path: Path, file: str) -> None:
        """Report the entries of a block at `path` that repeat an earlier one."""
        seen: dict[Path, ObjectEntry] = {}
        for entry in block.entries:
            if not isinstance(entry, ObjectEntry):
                continue
            whole = path + entry.path
            before = seen.get(whole)
            seen[whole] = entry
            if is_foreign(whole) or entry.appends or _unsets(entry.value) or _refers(entry.value):
                continue
            if isinstance(entry.value, Block):
                self._check_object(entry, whole, before, file)
            elif before is not None and not _unsets(before.value):
                key = render_path(entry.path)
                message = f"'{key}' is set twice: this value replaces the one in line {before.place.line}"
                self._report.warning(Code.DUPLICATE_KEY, entry.place, whole, message, "remove one of them")

    def _check_object(self, entry: ObjectEntry, path: Path, before: ObjectEntry | None, file: str) -> None:
        what = definition(path)
        key = render_path(entry.path)
        if before is not None and not isinstance(before.value, Block):
            if not _unsets(before.value) and not _refers(before.value):
                message = f"'{key}' is set twice: this object replaces the value in line {before.place.line}"
                self._report.warning(Code.DUPLICATE_KEY, entry.place, path, message, "remove one of them")
            return
        first = self._definitions.setdefault((file, path), entry.place)
        if what and first != entry.place and (before is not None or what != "curve"):
            message = f"the {what} '{key}' is defined twice: it is merged with the one in line {first.line}"
            hint = "remove one of them" if what == "curve" else "give it another id, or remove one of them"
            self._report.warning(Code.DUPLICATE_DEFINITION, entry.place, path, message, hint)


def _unsets(value: Expression) -> bool:
    return isinstance(value, Literal) and value.kind is TokenKind.NULL


def _refers(value: Expression) -> bool:
    match value:
        case Reference():
            return True
        case Concatenation(_, parts):
            return any(_refers(part) for part in parts)
        case ListExpression(_, items):
            return any(_refers(item) for item in items)
        case _:
            return False
