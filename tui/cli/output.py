"""What commands print: JSON for scripts, tables for people (drawn on a terminal, plain when piped)."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from core.text import printable
from tui.cli.options import GlobalOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import JustifyMethod, OverflowMethod


def print_json(document: Any) -> None:
    """Print one strict JSON document: NaN and infinity are refused, never written."""
    context = click.get_current_context(silent=True)
    options = context.find_object(GlobalOptions) if context is not None else None
    if options is not None:
        options.printed = True
    click.echo(json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False))


def say(text: str = "", *, error: bool = False) -> None:
    """Print one line of plain text, made safe for a terminal."""
    click.echo(printable(text), err=error)


@dataclass(frozen=True, slots=True)
class Heading:
    """A column of a table; numbers are aligned to the right."""

    title: str
    right: bool = False
    cut: bool = False
    """Whether a terminal that is too narrow gets the beginnings of its cells: for what others tell too, as URIs."""


def is_too_wide(columns: Sequence[Heading], rows: Iterable[Sequence[str]]) -> bool:
    """Return whether a table has longer lines than the terminal; what is piped may have lines of any length."""
    if not sys.stdout.isatty():
        return False
    widths = _widths(columns, [[printable(cell) for cell in row] for row in rows])
    return sum(widths) + 2 * (len(columns) - 1) > shutil.get_terminal_size().columns


def _widths(columns: Sequence[Heading], cells: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, (column.title, *texts))) for column, *texts in zip(columns, *cells, strict=True)]


def print_table(columns: Sequence[Heading], rows: Iterable[Sequence[str]], *, title: str = "") -> None:
    """Print a table: drawn by Rich on a terminal, aligned plain text when piped. Cells are sanitized here.

    Where a terminal is too narrow to draw it, it is printed plain too: nothing is cut off but in columns that allow it.
    """
    cells = [[printable(cell) for cell in row] for row in rows]
    if sys.stdout.isatty() and _draw(columns, cells, title):
        return
    if title:
        click.echo(title)
    widths = _widths(columns, cells)
    for line in [[column.title.upper() for column in columns], *cells]:
        aligned = [
            cell.rjust(width) if column.right else cell.ljust(width)
            for cell, width, column in zip(line, widths, columns, strict=True)
        ]
        click.echo("  ".join(aligned).rstrip())


_WIDEST_WORD = 24
"""Columns of a terminal that a word keeps to itself; a longer one is folded, or cut."""


def fit(columns: Sequence[Heading], cells: Sequence[Sequence[str]], room: int) -> list[int] | None:
    """Return the columns' widths that fill at most `room`, cutting no number and no word; None where that can't be.

    Columns of text give way, the widest first, all that can be cut before those that are folded; those aligned to the
    right keep their width.
    """
    from rich.cells import cell_len

    widths, least = [], []
    for index, column in enumerate(columns):
        texts = [column.title, *(line[index] for line in cells)]
        widths.append(max(cell_len(text) for text in texts))
        words = max((cell_len(word) for text in texts for word in text.split()), default=0)
        least.append(widths[-1] if column.right else min(words, _WIDEST_WORD))
    if sum(least) > room:
        return None
    while sum(widths) > room:
        wide = [index for index in range(len(widths)) if widths[index] > least[index]]
        widest = max([index for index in wide if columns[index].cut] or wide, key=widths.__getitem__)
        widths[widest] -= 1
    return widths


def _draw(columns: Sequence[Heading], cells: Sequence[Sequence[str]], title: str) -> bool:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    widths = fit(columns, cells, console.width - 3 * len(columns) + 1)  # the box: 1 at both ends, 3 in between
    if widths is None:
        return False
    table = Table(box=SIMPLE_HEAD, title=Text(title) if title else None, title_justify="left", pad_edge=False)
    for column, width in zip(columns, widths, strict=True):
        justify: JustifyMethod = "right" if column.right else "left"
        overflow: OverflowMethod = "ellipsis" if column.cut else "fold"
        table.add_column(Text(column.title), justify=justify, overflow=overflow, no_wrap=column.cut, width=width)
    for line in cells:
        table.add_row(*(Text(cell) for cell in line))
    console.print(table)
    return True


def say_folded(text: str, indent: str = "") -> None:
    """Print a sentence, folded between words where a terminal is too narrow for it; a pipe gets it in one line."""
    text = printable(" ".join(text.split()))
    if not sys.stdout.isatty():
        say(indent + text)
        return
    width = max(20, shutil.get_terminal_size().columns)
    for line in textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False):
        say(line)
