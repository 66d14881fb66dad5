"""`realms check`: every mistake of a configuration, with its place, the line itself, and how to mend it."""

from __future__ import annotations

import os
import sys
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.diagnostics import Severity
from core.text import plural, printable
from tui.cli.options import GlobalOptions, RealmsCommand, json_option, pass_options
from tui.cli.output import print_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from core.config.reader import Reading
    from core.diagnostics import Diagnostic

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow"}
_LONGEST_LINE = 160


@click.command("check", cls=RealmsCommand)
@click.argument("file", type=click.Path(path_type=Path), required=False)
@json_option
@pass_options
def check(options: GlobalOptions, file: Path | None, as_json: bool) -> int:
    """Check a configuration: FILE, or the one that other commands use.

    Exit code 0 without errors, 1 with errors, 2 if the file can't be read.
    """
    from core.config.reader import read

    reading = read(find_file(options, file))
    if as_json:
        print_json(
            {
                "config": str(reading.path),
                "ok": not reading.errors,
                "errors": len(reading.errors),
                "warnings": len(reading.warnings),
                "diagnostics": [_as_mapping(diagnostic) for diagnostic in reading.diagnostics],
            }
        )
    else:
        print_diagnostics(reading.diagnostics, reading.sources, error=False)
        click.echo(_summary(reading))
    return 1 if reading.errors else 0


def find_file(options: GlobalOptions, file: Path | None) -> Path:
    """Return the main file: FILE, else --config, else where it is looked for; raises UnreadableFile."""
    from core.config.places import find_configuration

    return find_configuration(file if file is not None else options.config, os.environ)


def print_diagnostics(
    diagnostics: Iterable[Diagnostic], sources: Mapping[str, str] | None = None, *, error: bool = True
) -> None:
    """Print diagnostics as compilers do, with the line where `sources` has it; on standard error unless told."""
    colour = (sys.stderr if error else sys.stdout).isatty()
    lines = {name: text.split("\n") for name, text in (sources or {}).items()}
    for diagnostic in diagnostics:
        for line in _describe(diagnostic, lines.get(diagnostic.file), colour=colour):
            click.echo(line, err=error)


def _describe(diagnostic: Diagnostic, lines: list[str] | None, *, colour: bool) -> Iterable[str]:
    where = f"{diagnostic.file}:{diagnostic.line}:{diagnostic.column}"
    severity = str(diagnostic.severity)
    if colour:
        severity = click.style(severity, fg=_COLOURS[diagnostic.severity], bold=True)
    yield f"{printable(where)}: {severity}: {printable(diagnostic.message)}"
    if lines is not None and diagnostic.line <= len(lines) and lines[diagnostic.line - 1].strip():
        shown, caret = _excerpt(lines[diagnostic.line - 1], diagnostic.column)
        number = str(diagnostic.line)
        yield f" {number} | {shown}"
        yield f" {' ' * len(number)} | {' ' * caret}^"
    if diagnostic.path:
        yield f"   at {printable(diagnostic.path)}"
    if diagnostic.hint:
        yield f"   {printable(diagnostic.hint)}"
    yield ""


def _excerpt(line: str, column: int) -> tuple[str, int]:
    """Cut a long line around its column; gives also the width before the column on a terminal."""
    line = line.rstrip("\r").replace("\t", " ")
    start = max(0, min(column - _LONGEST_LINE // 2, len(line) - _LONGEST_LINE))
    shown = printable(line[start : start + _LONGEST_LINE])
    return shown, sum(_width(character) for character in shown[: column - 1 - start])


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _summary(reading: Reading) -> str:
    path = printable(str(reading.path))
    errors, warnings = len(reading.errors), len(reading.warnings)
    counts = f"{plural(errors, 'error')}, {plural(warnings, 'warning')}"
    if reading.configuration is None:
        return f"{path}: {counts}"
    configuration = reading.configuration
    found = (
        plural(len(configuration.cost_functions), "cost function"),
        plural(len(configuration.hardware_profiles), "hardware profile"),
        plural(len(configuration.realms), "realm"),
        plural(len(reading.files), "file"),
    )
    return f"{path}: ok, {counts} ({', '.join(found)})"


def _as_mapping(diagnostic: Diagnostic) -> dict[str, object]:
    return {
        "severity": diagnostic.severity,
        "file": diagnostic.file,
        "line": diagnostic.line,
        "column": diagnostic.column,
        "path": diagnostic.path,
        "message": diagnostic.message,
        "hint": diagnostic.hint,
        "code": diagnostic.code,
    }
