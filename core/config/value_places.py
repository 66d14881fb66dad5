"""Where each value of a configuration stands: file and line by the value's path, for whoever changes it."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from core.config.composition import Composer
from core.config.recursion import deep_recursion
from core.config.report import DiagnosticReport
from core.config.resolution import Resolver
from core.config.sections import ROOT
from core.config.sources import Sources
from core.config.syntax import SourcePlace
from core.config.values import ObjectValue


def value_places(path: Path, environment: Mapping[str, str] | None = None) -> dict[tuple[str, ...], SourcePlace]:
    """Read the files again and give the place of every key; paths count from `ticrypt.vm`.

    What isn't written anywhere, such as a default, has no place. Raises UnreadableFile.
    """
    sources, report = Sources(path.absolute().parent), DiagnosticReport()
    with deep_recursion():
        root = Composer(sources, report).compose(sources.read_main(path.absolute()))
        resolved = Resolver(root, os.environ if environment is None else environment, report).resolve()
        return dict(_places(resolved, ()))


def _places(block: ObjectValue, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], SourcePlace]]:
    for key, field in block.fields.items():
        at = (*path, key)
        if at[: len(ROOT)] == ROOT and len(at) > len(ROOT):
            yield at[len(ROOT) :], field.place
        if isinstance(field.value, ObjectValue) and at[: len(ROOT)] == ROOT[: len(at)]:
            yield from _places(field.value, at)
