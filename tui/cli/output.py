"""What commands print: JSON for scripts, tables for people (drawn on a terminal, plain when piped)."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from core.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def print_json(document: Any) -> None:
    """Print one strict JSON document: NaN and infinity are refused, never written."""
    click.echo(json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False))


def say(text: str = "", *, error: bool = False) -> None:
    """Print one line of plain text, made safe for a terminal."""
    click.echo(printable(text), err=error)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; numbers are aligned to the right."""

    title: str
    right: bool = False


def print_table(columns: Sequence[Column], rows: Iterable[Sequence[str]], *, title: str = "") -> None:
    """Print a table: drawn by Rich on a terminal, aligned plain text when piped. Cells are sanitized here."""
    cells = [[printable(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _draw(columns, cells, title)
        return
    if title:
        click.echo(title)
    widths = [max(len(line[i]) for line in [[column.title for column in columns], *cells]) for i in range(len(columns))]
    for line in [[column.title.upper() for column in columns], *cells]:
        aligned = [
            cell.rjust(width) if column.right else cell.ljust(width)
            for cell, width, column in zip(line, widths, columns, strict=True)
        ]
        click.echo("  ".join(aligned).rstrip())


def _draw(columns: Sequence[Column], cells: Sequence[Sequence[str]], title: str) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, title=Text(title) if title else None, title_justify="left", pad_edge=False)
    for column in columns:
        table.add_column(
            Text(column.title), justify="right" if column.right else "left", overflow="ellipsis", no_wrap=column.right
        )
    for line in cells:
        table.add_row(*(Text(cell) for cell in line))
    Console().print(table)
