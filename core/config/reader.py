"""Reads a configuration: all files, all mistakes in one go, and what it means (specification, sections 2 to 6)."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.codes import DiagnosticCode as Code
from core.config.composition import Composer
from core.config.model import Configuration
from core.config.recursion import deep_recursion, keep_deep_recursion
from core.config.report import DiagnosticReport
from core.config.resolution import Resolver
from core.config.second_reading import compare
from core.config.sections import read_sections
from core.config.sources import Sources
from core.config.syntax import SourcePlace
from core.diagnostics import Diagnostic, Severity
from core.errors import ConfigurationInvalid
from core.text import shell_command

_DEEP = 60
"""Levels past which what a configuration means needs more stack than Python allows by default."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of reading a configuration. `configuration` is None where there are errors.

    `sources` has the text of each file by its name relative to the main file's folder; `files` are all files read,
    the main one first.
    """

    path: Path
    configuration: Configuration | None
    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, str]
    files: tuple[Path, ...]

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that make the configuration unusable."""
        return tuple(found for found in self.diagnostics if found.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that do not."""
        return tuple(found for found in self.diagnostics if found.severity is Severity.WARNING)


def read(path: Path, environment: Mapping[str, str] | None = None) -> Reading:
    """Read the configuration whose main file is at `path`; raises UnreadableFile where that can't be read.

    `environment` has the variables that substitutions may fall back to; the process's own by default.
    """
    with deep_recursion():
        reading, depth = _read(path, os.environ if environment is None else environment)
        if depth > _DEEP:
            keep_deep_recursion()
    return reading


def _read(path: Path, variables: Mapping[str, str]) -> tuple[Reading, int]:
    """Read a configuration; tells also how deeply its blocks are nested."""
    report = DiagnosticReport()
    sources = Sources(path.absolute().parent)
    main = sources.read_main(path.absolute())
    composer = Composer(sources, report)
    configuration = None
    try:
        root = composer.compose(main)
        resolved = Resolver(root, variables, report).resolve()
        if not report.errors:
            compare(root, resolved, variables, report)
        configuration = read_sections(resolved, report)
    except RecursionError:
        message = "substitutions or blocks are nested too deeply"
        report.error(Code.NESTED_TOO_DEEPLY, SourcePlace(main.name, 1, 1), (), message)
    names = [source.name for source in sources.by_path.values()]
    reading = Reading(
        path=path,
        configuration=None if report.errors else configuration,
        diagnostics=report.diagnostics(names, composer.included_at),
        sources={source.name: source.text for source in sources.by_path.values()},
        files=tuple(source.path for source in sources.by_path.values()),
    )
    return reading, max(source.scan.depth for source in sources.by_path.values())


def load(path: Path, environment: Mapping[str, str] | None = None) -> Configuration:
    """Read a configuration that must be free of errors; raises UnreadableFile or ConfigurationInvalid."""
    reading = read(path, environment)
    if reading.configuration is None:
        count = len(reading.errors)
        message = f"the configuration {path} has {count} error{'s' if count != 1 else ''}"
        raise ConfigurationInvalid(
            message, reading.diagnostics, hint=f"{shell_command('realms check', path)} lists them all"
        )
    return reading.configuration
