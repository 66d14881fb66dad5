"""The pages of the documentation, and the commands that they are about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.__main__ import realms

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
MANUAL = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
SAMPLES = ROOT / "sample-configs"
GLOBAL = {"--config", "--registry", "--fleet", "--read-only", "--trust-locks", "--help", "-h", "--version"}
"""Options of every command, documented once."""


def text_of(page: str) -> str:
    """Read a page of the documentation."""
    return (DOCS / page).read_text(encoding="utf-8")


def name_of(path: Path) -> str:
    """Name a page for a test."""
    return str(path.relative_to(ROOT))


@dataclass(frozen=True)
class Section:
    """A heading and the text below it, up to the next heading."""

    title: str
    text: str


def sections(text: str) -> list[Section]:
    """Split a page at its headings, which are no lines of code."""
    parts = re.split(r"^#{1,6} (.+)$", text, flags=re.MULTILINE)
    return [Section(title, body) for title, body in zip(parts[1::2], parts[2::2], strict=True)]


def section(page: str, title: str) -> str:
    """Read what a page says under a heading."""
    found = [each.text for each in sections(text_of(page)) if each.title == title]
    assert len(found) == 1, f"{page} has {len(found)} headings {title!r}"
    return found[0]


def commands() -> Iterator[tuple[str, click.Command]]:
    """Walk all commands that can be seen and are no groups."""

    def below(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
        if not isinstance(command, click.Group):
            yield name, command
            return
        context = click.Context(command, info_name=name)
        for word in command.list_commands(context):
            found = command.get_command(context, word)
            assert found is not None
            if not found.hidden:
                yield from below(found, f"{name} {word}")

    return below(realms, "realms")


@cache
def all_commands() -> dict[str, click.Command]:
    """Return the commands by their names."""
    return dict(commands())


def options_of(command: click.Command) -> set[str]:
    """Return a command's own options that help shows, by their long names."""
    return {
        name
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.hidden
        for name in (*parameter.opts, *parameter.secondary_opts)
    } - GLOBAL


def anchor_of(title: str) -> str:
    """Return the anchor that Git hosts make of a heading."""
    plain = re.sub(r"[`*]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title)).lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings."""
    return {anchor_of(each.title) for each in sections(page.read_text(encoding="utf-8"))}


def offline(folder: Path, name: str) -> list[str]:
    """Return the options by which a command answers from the sample of GPUs."""
    sample = folder / "sample-configs" / "gpu"
    configuration = ["--config", str(sample / "ticrypt-vm.conf")]
    return configuration if name == "realms replay" else [*configuration, "--fleet", str(sample / "fleet.json")]
