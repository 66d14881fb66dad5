"""The pages are complete: every command, option and key; and their links lead somewhere."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.docs.pages import (
    DOCS,
    GLOBAL,
    PAGES,
    ROOT,
    all_commands,
    anchor_of,
    anchors,
    name_of,
    options_of,
    section,
    sections,
    text_of,
)
from tui.app.areas import AREAS
from tui.app.keys import KEYS
from tui.widgets.grid_keys import GRID_KEYS

if TYPE_CHECKING:
    from pathlib import Path

    from tui.commands import Command


def options_in(text: str) -> set[str]:
    """Find the options that a table of options has in its first column."""
    cells = re.findall(r"^\| (`-.+?) \|(?= )", text.replace(r"\|", "/"), flags=re.MULTILINE)
    return {option for cell in cells for option in re.findall(r"`(--?[a-z-]+)", cell)}


@pytest.mark.parametrize("name", all_commands())
def test_every_command_and_option_is_documented(name: str) -> None:
    """Under the command's own heading, and nothing that it does not have."""
    assert options_in(section("commands.md", name)) == options_of(all_commands()[name])


def test_global_options_are_documented() -> None:
    """Once, for all commands."""
    assert options_in(section("commands.md", "Global options")) == GLOBAL


def test_no_heading_names_a_command_that_does_not_exist() -> None:
    """A command that was renamed leaves none behind."""
    groups = {name.rpartition(" ")[0] for name in all_commands()}
    for page in ("commands.md", "json.md"):
        headings = {each.title for each in sections(text_of(page)) if each.title.startswith("realms ")}
        assert headings <= set(all_commands()) | groups, page


def test_every_document_of_a_command_is_described() -> None:
    """Each command that takes --json has a heading in json.md."""
    titles = {each.title for each in sections(text_of("json.md"))}
    assert {name for name, command in all_commands().items() if "--json" in options_of(command)} <= titles


SIGNS = {"plus": "+", "minus": "-", "left_square_bracket": "[", "right_square_bracket": "]"}


def is_written(command: Command, text: str) -> bool:
    """Whether a text names a key of a command, as the screen writes it."""
    shown = [replace(command, keys=key, shown="").key_text for key in command.keys.split(",")]
    names = [command.key_text, *(SIGNS.get(key, key) for key in shown)]
    return any(all(f"`{part}`" in text for part in name.split()) for name in names)


@pytest.mark.parametrize("area", AREAS, ids=lambda area: area.id)
def test_every_key_of_an_area_is_documented(area: Any) -> None:
    """Under the area's heading in screens.md."""
    text = section("screens.md", area.title)
    assert [command.help for command in area.build().KEYS if not is_written(command, text)] == []


def test_every_key_of_the_application_and_of_tables_is_documented() -> None:
    """Number keys go to the areas; they are named together."""
    general = [command for command in KEYS if not command.keys.isdigit()]
    for title, keys in (("Everywhere", general), ("Tables", GRID_KEYS)):
        text = section("screens.md", title)
        assert [command.help for command in keys if not is_written(command, text)] == []


def test_the_readme_is_short() -> None:
    """It says what the program is and how to begin; the rest is in docs."""
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


def without_code(text: str) -> str:
    """Leave out code, in which brackets are no links."""
    return re.sub(r"`[^`\n]*`", "`code`", re.sub(r"^    .*$", "", text, flags=re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    """To files of the repository, and to headings of pages."""
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text(encoding="utf-8"))):
        name, _, anchor = link.partition("#")
        target = (page.parent / name) if name else page
        if re.match(r"[a-z]+://", link):
            continue
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_long_pages_have_a_table_of_contents() -> None:
    """Its entries are links to all main headings of the page."""
    for page in DOCS.glob("*.md"):
        text = page.read_text(encoding="utf-8")
        titles = re.findall(r"^## (.+)$", text, flags=re.MULTILINE)
        if len(text.splitlines()) > 100 and page.name not in ("commands.md", "codes.md"):
            assert [title for title in titles if f"(#{anchor_of(title)})" not in text] == [], page
    contents = text_of("commands.md").partition("## Conventions")[0]
    assert [name for name in all_commands() if f"(#{anchor_of(name)})" not in contents] == []
