"""What commands print: JSON for scripts, tables for people."""

import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import click

from core.errors import RealmsError
from core.text import json_text, printable
from tui.cli.options import GlobalOptions

LONGEST_CELL = 500
"""Characters that a table shows of a text; JSON has all of it."""


def print_json(document: Any) -> None:
    """Print one strict JSON document: NaN and infinity are refused, never written."""
    context = click.get_current_context(silent=True)
    options = context.find_object(GlobalOptions) if context is not None else None
    if options is not None:
        options.printed = True
    click.echo(json_text(document, indent=2))


def error_row(error: RealmsError | None) -> dict[str, Any]:
    """Return an error as every document has it: `error`, `hint` and `code`; all None where there is none."""
    if error is None:
        return {"error": None, "hint": None, "code": None}
    return {"error": error.message, "hint": error.hint or None, "code": error.code}


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


def headings(*titles: str) -> list[Heading]:
    """Return the columns with these titles; one that begins with `>` is aligned to the right."""
    return [Heading(title.removeprefix(">"), right=title.startswith(">")) for title in titles]


def no_answer(host: str, waited: float) -> str:
    """Return that a host has not answered in the seconds it was given, and what gives it more."""
    return f"{host}: no answer within {waited:g} s; --timeout {3 * waited:g} waits longer"


def is_too_wide(columns: Sequence[Heading], rows: Iterable[Sequence[str]]) -> bool:
    """Return whether a table has longer lines than the terminal; what is piped may have lines of any length."""
    widths = _widths(columns, [[printable(cell) for cell in row] for row in rows])
    return sys.stdout.isatty() and sum(widths) > _room(columns)


def print_table(columns: Sequence[Heading], rows: Iterable[Sequence[str]], *, title: str = "") -> None:
    """Print a table of aligned columns. Cells are sanitized here.

    On a terminal that is too narrow, long texts are folded; where even that doesn't help, lines are as long as need be:
    nothing is cut off but in columns that allow it, and what is longer than any name or sentence.
    """
    cells = [[_cut(printable(cell)) for cell in row] for row in rows]
    widths = _widths(columns, cells)
    if sys.stdout.isatty():
        widths = fit(columns, cells, _room(columns)) or widths
    if title:
        click.echo(title)
    for row in [[column.title.upper() for column in columns], *cells]:
        for line in zip_longest(*map(_folded, columns, row, widths), fillvalue=""):
            click.echo("  ".join(map(_aligned, columns, line, widths)).rstrip())


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _room(columns: Sequence[Heading]) -> int:
    return shutil.get_terminal_size().columns - 2 * (len(columns) - 1)


def _widths(columns: Sequence[Heading], cells: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(_width, (column.title, *texts))) for column, *texts in zip(columns, *cells, strict=True)]


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes: wide characters take two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _folded(column: Heading, text: str, width: int) -> list[str]:
    """Return the lines of a cell: folded, between words where possible, or its beginning in a column that is cut."""
    if _width(text) <= width:
        return [text]
    from rich.cells import chop_cells, set_cell_size

    if column.cut:
        return [set_cell_size(text, width - 1) + "\N{HORIZONTAL ELLIPSIS}"]
    lines = textwrap.wrap(text, width, break_on_hyphens=False)
    return [part for line in lines for part in chop_cells(line, width)]


def _aligned(column: Heading, text: str, width: int) -> str:
    padding = " " * (width - _width(text))
    return padding + text if column.right else text + padding


_WIDEST_WORD = 24
"""Columns of a terminal that a word keeps to itself; a longer one is folded, or cut."""


def fit(columns: Sequence[Heading], cells: Sequence[Sequence[str]], room: int) -> list[int] | None:
    """Return the columns' widths that fill at most `room`, cutting no number and no word; None where that can't be.

    Columns of text give way, the widest first, all that can be cut before those that are folded; those aligned to the
    right keep their width.
    """
    widths = _widths(columns, cells)
    least = []
    for column, width, *texts in zip(columns, widths, *cells, strict=True):
        words = max((_width(word) for text in (column.title, *texts) for word in text.split()), default=0)
        least.append(width if column.right else min(words, _WIDEST_WORD))
    if sum(least) > room:
        return None
    while sum(widths) > room:
        wide = [index for index in range(len(widths)) if widths[index] > least[index]]
        widest = max([index for index in wide if columns[index].cut] or wide, key=widths.__getitem__)
        widths[widest] -= 1
    return widths


def say_folded(text: str, indent: str = "") -> None:
    """Print a sentence, folded between words where a terminal is too narrow for it; a pipe gets it in one line."""
    text = printable(" ".join(text.split()))
    if not sys.stdout.isatty():
        say(indent + text)
        return
    width = max(20, shutil.get_terminal_size().columns)
    for line in textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False):
        say(line)
