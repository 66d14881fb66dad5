"""Single settings laid over a configuration, as if they stood at its end: `cost-functions.cpu.memory.soft = 800 GiB`.

They are read by the same rules as files. A curve that is given as a block replaces the one that is there; other blocks
are merged with what is there, as in HOCON.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.codes import DiagnosticCode as Code
from core.config.composition import Composer, merge
from core.config.export import format_configuration
from core.config.model import Configuration
from core.config.recursion import deep_recursion
from core.config.report import DiagnosticReport
from core.config.resolution import Resolver
from core.config.scanner import scan
from core.config.sections import ROOT, SECTIONS, read_sections
from core.config.sources import Source, Sources
from core.config.syntax import (
    Block,
    Concatenation,
    Expression,
    Include,
    ListExpression,
    Literal,
    ObjectEntry,
    Reference,
    TokenKind,
    render_path,
)
from core.diagnostics import Diagnostic, Severity
from core.errors import UsageError
from core.text import nearest, one_line
from core.units import format_size

_EXAMPLE = "write PATH=VALUE, such as cost-functions.cpu.memory.soft='800 GiB'"
_DEEPEST = 50
_KINDS = {"cost-functions": "cost function", "hardware-profiles": "hardware profile", "realms": "realm"}
_BASE = "configuration"
_WHOLE_BYTES = re.compile(r"\b(\d{7,18})\.0\b")
"""How a size of a memory curve is written in the configuration as understood."""
_MISTAKES = (Code.UNKNOWN_PARAMETER, Code.UNKNOWN_SECTION, Code.MISSING_UNIT)
"""Warnings of a configuration that are mistakes of a setting: it does nothing, or means bytes where GiB are meant."""


class SettingRefused(UsageError):
    """A setting can't be made; the bare message leaves out which."""

    def __init__(self, where: str, message: str, *, hint: str = "") -> None:
        super().__init__(f"{where}: {message}", hint=hint)
        self._bare = message

    @property
    def bare_message(self) -> str:
        """What is wrong with it."""
        return self._bare


@dataclass(frozen=True, slots=True)
class Setting:
    """A parameter, or a whole block, with the value that it is given. `path` counts from `ticrypt.vm`."""

    path: tuple[str, ...]
    text: str
    """The value as written, in HOCON."""
    appends: bool = False
    """Whether the value is added to a list (`+=`)."""
    curves: tuple[tuple[str, ...], ...] = ()
    """Paths of the curves that are replaced as a whole."""
    is_block: bool = False

    @classmethod
    def parse(cls, written: str) -> Setting:
        """Read `PATH=VALUE`; raises UsageError with what would be right."""
        with deep_recursion():
            found = scan("", written)
        shown = one_line(written, 100) or "''"
        if found.mistake is not None:
            column = found.mistake.place.column
            hint = found.mistake.hint or "quote text that contains anything but letters"
            raise SettingRefused(shown, f"{found.mistake.message} (at character {column})", hint=hint)
        if found.depth > _DEEPEST:
            raise SettingRefused(shown, "nested too deeply", hint=f"at most {_DEEPEST} nested blocks")
        entries = found.root.entries
        if len(entries) != 1 or not isinstance(entries[0], ObjectEntry):
            raise UsageError(f"{shown} is not a setting" if len(entries) < 2 else f"{shown}: one setting at a time",
                             hint=_EXAMPLE)  # fmt: skip
        entry = entries[0]
        if any(isinstance(part, Include | Reference) for part in _parts(entry.value)):
            raise SettingRefused(shown, "a setting needs a literal value", hint="include and ${...} are not allowed")
        path = entry.path[len(ROOT) :] if entry.path[: len(ROOT)] == ROOT else entry.path
        if not path:
            raise SettingRefused(shown, "nothing to set", hint=_EXAMPLE)
        text = _from(written, entry.value.place.line, entry.value.place.column)
        return cls(path, text, entry.appends, tuple(_curves(entry.value, path)), isinstance(entry.value, Block))

    def __str__(self) -> str:
        return f"{render_path(self.path)} {'+=' if self.appends else '='} {self.text}"

    @property
    def hocon(self) -> str:
        """The lines that do the same at the end of a main file."""
        unset = [f"{render_path((*ROOT, *curve))} = null\n" for curve in self.curves]
        return "".join(unset) + f"{render_path(ROOT)}.{self}\n"


def apply_settings(
    configuration: Configuration, settings: Sequence[Setting]
) -> tuple[Configuration, tuple[Diagnostic, ...]]:
    """Return the configuration with all settings, and the warnings that came with them.

    A pure function. Raises UsageError with the first mistake: an id or a parameter that doesn't exist, a wrong value.
    """
    if not settings:
        return configuration, ()
    _check_paths(configuration, settings)
    part = _concerned(configuration, settings)
    with deep_recursion():
        base = format_configuration(part)
        changed, diagnostics = _read(base, settings)
        mistakes = sorted(filter(_is_mistake, diagnostics), key=lambda found: found.code is not Code.MISSING_UNIT)
        if mistakes or changed is None:
            raise _refusal(settings, mistakes)
        before = _read(base, ())[1] if diagnostics else ()
    known = {(found.path, found.message) for found in before}
    warnings = tuple(found for found in diagnostics if (found.path, found.message) not in known)
    return (changed if part is configuration else _put_back(configuration, changed)), warnings


def _concerned(configuration: Configuration, settings: Sequence[Setting]) -> Configuration:
    """Leave out what parameters of functions and realms that are there have nothing to do with: reading takes time."""
    if any(len(setting.path) < 3 or setting.path[0] == "hardware-profiles" for setting in settings):
        return configuration
    ids = {(setting.path[0], setting.path[1]) for setting in settings}
    return replace(
        configuration,
        cost_functions={id_: of for id_, of in configuration.cost_functions.items() if ("cost-functions", id_) in ids},
        hardware_profiles={
            id_: profile
            for id_, profile in configuration.hardware_profiles.items()
            if ("cost-functions", profile.cost_function) in ids
        },
        realms={id_: realm for id_, realm in configuration.realms.items() if ("realms", id_) in ids},
    )


def _put_back(configuration: Configuration, part: Configuration) -> Configuration:
    return replace(
        configuration,
        cost_functions={**configuration.cost_functions, **part.cost_functions},
        hardware_profiles={**configuration.hardware_profiles, **part.hardware_profiles},
        realms={**configuration.realms, **part.realms},
    )


def _read(base: str, settings: Sequence[Setting]) -> tuple[Configuration | None, tuple[Diagnostic, ...]]:
    report = DiagnosticReport()
    composer = Composer(Sources(Path("/")), report)
    root = composer.compose(_source(_BASE, base))
    for number, setting in enumerate(settings):
        for text in setting.hocon.splitlines(keepends=True) if setting.curves and not setting.appends else ():
            if text.endswith(" = null\n"):
                merge(root, composer.compose(_source(_BASE, text)))
        merge(root, composer.compose(_source(str(number), f"{render_path(ROOT)}.{setting}\n")))
    configuration = read_sections(Resolver(root, {}, report).resolve(), report)
    names = [*map(str, range(len(settings))), _BASE]
    return None if report.errors else configuration, report.diagnostics(names, {})


def _source(name: str, text: str) -> Source:
    return Source(name, Path("/"), text, scan(name, text))


def _check_paths(configuration: Configuration, settings: Sequence[Setting]) -> None:
    """Refuse a setting of something that isn't there: it would define half of something new."""
    known: dict[str, set[str]] = {
        "cost-functions": set(configuration.cost_functions),
        "hardware-profiles": set(configuration.hardware_profiles),
        "realms": set(configuration.realms),
    }
    for setting in settings:
        section, *rest = setting.path
        if section not in SECTIONS:
            hint = _meant(section, known) or f"a path starts with {', '.join(SECTIONS)}"
            raise SettingRefused(str(setting), f"unknown section {section!r}", hint=hint)
        if rest and setting.is_block and len(rest) == 1:
            known[section].add(rest[0])
        elif rest and rest[0] not in known[section]:
            ids = known[section]
            hint = _meant(rest[0], dict.fromkeys(ids)) or f"known: {', '.join(sorted(ids)) or 'none'}"
            raise SettingRefused(str(setting), f"unknown {_KINDS[section]} {rest[0]!r}", hint=hint)


def _meant(word: str, known: Mapping[str, object]) -> str:
    meant = nearest(word, known)
    return f"did you mean {meant}?" if meant else ""


def _is_mistake(found: Diagnostic) -> bool:
    return found.severity is Severity.ERROR or (found.file != _BASE and found.code in _MISTAKES)


def _refusal(settings: Sequence[Setting], mistakes: Sequence[Diagnostic]) -> SettingRefused:
    first = mistakes[0]
    message = _WHOLE_BYTES.sub(lambda digits: format_size(int(digits[1])), first.message)
    where = (
        f"with {'; '.join(map(str, settings))}, {first.path.removeprefix(render_path(ROOT) + '.')}"
        if first.file == _BASE
        else str(settings[int(first.file)])
    )
    more = len(mistakes) - 1
    hints = [_WHOLE_BYTES.sub(lambda digits: format_size(int(digits[1])), first.hint)] if first.hint else []
    if any(setting.path[-1] == "curve" for setting in settings):
        hints = ["to change the kind of curve, set all of it: ...={ curve: linear, slope: 1, base: 0 }"]
    if more:
        hints.append(f"and {more} more mistake{'s' * (more > 1)}")
    return SettingRefused(where, message, hint="; ".join(hints))


def _parts(value: Expression) -> Iterator[Expression | Include]:
    yield value
    match value:
        case Block(_, entries):
            for entry in entries:
                if isinstance(entry, Include):
                    yield entry
                else:
                    yield from _parts(entry.value)
        case Concatenation(_, parts) | ListExpression(_, parts):
            for part in parts:
                yield from _parts(part)
        case _:
            return


def _curves(value: Expression, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Find the blocks that describe whole curves; those inside a curve go with it."""
    if not isinstance(value, Block):
        return
    entries = [entry for entry in value.entries if isinstance(entry, ObjectEntry)]
    if any(entry.path == ("curve",) and not _unsets(entry.value) for entry in entries):
        yield path
        return
    for entry in entries:
        yield from _curves(entry.value, path + entry.path)


def _unsets(value: Expression) -> bool:
    return isinstance(value, Literal) and value.kind is TokenKind.NULL


def _from(text: str, line: int, column: int) -> str:
    """Cut a text's beginning off, up to a line and column that count from 1."""
    lines = text.splitlines(keepends=True)
    return "".join(lines[line - 1 :])[column - 1 :].strip()
