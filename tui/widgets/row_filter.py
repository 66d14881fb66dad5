"""The filter language of tables: regular expressions, `!` inverts, `host:h3 state:running` for columns, `cpu>50`."""

import operator
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tui.render.cells import plain
from tui.render.rows import Column, Row

_COMPARISON = re.compile(r"(?P<column>[a-z_]+)(?P<sign><=|>=|<|>)(?P<number>-?\d+(?:\.\d+)?)")
_SIGNS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_SEARCHED = 400
"""Characters of a cell that are searched: a longer one can't slow the filter down."""


@dataclass(frozen=True, slots=True)
class _Term:
    inverted: bool
    column: int | None
    """None: any column."""
    pattern: re.Pattern[str] | None = None
    compare: Callable[[float, float], bool] | None = None
    number: float = 0.0

    def passes(self, row: Row) -> bool:
        return self._found(row) is not self.inverted

    def _found(self, row: Row) -> bool:
        if self.compare is not None and self.column is not None:
            value = row.order[self.column] if self.column < len(row.order) else None
            return isinstance(value, int | float) and self.compare(value, self.number)
        if self.pattern is None:
            return True
        search = self.pattern.search
        columns = range(len(row.cells)) if self.column is None else (self.column,)
        return any(search(text[:_SEARCHED]) is not None for column in columns for text in _texts(row, column))


@dataclass(frozen=True, slots=True)
class RowFilter:
    """A filter as typed. One that can't be read has an `error` and lets every row pass."""

    text: str = ""
    terms: tuple[_Term, ...] = ()
    error: str = ""

    def __bool__(self) -> bool:
        return bool(self.text)

    def passes(self, row: Row) -> bool:
        """Whether a row has everything that the filter asks for."""
        return all(term.passes(row) for term in self.terms)


def parse_filter(text: str, columns: Sequence[Column]) -> RowFilter:
    """Read a filter: terms between blanks, all of which must hold. Never raises.

    A term is a regular expression for any cell, or `column:expression` (a prefix of a column's name is enough), or
    `column>number`; a leading `!` inverts it. Without capitals, case doesn't matter.
    """
    terms = []
    for word in text.split():
        inverted = word.startswith("!")
        body = word[1:] if inverted else word
        if not body:
            continue
        comparison = _COMPARISON.fullmatch(body)
        if comparison and (column := _column(comparison["column"], columns)) is not None:
            compare = _SIGNS[comparison["sign"]]
            terms.append(_Term(inverted, column, compare=compare, number=float(comparison["number"])))
            continue
        name, colon, rest = body.partition(":")
        column = _column(name, columns) if colon else None
        expression = rest if column is not None else body
        try:
            pattern = re.compile(expression, 0 if expression != expression.lower() else re.IGNORECASE)
        except (re.error, OverflowError, RecursionError) as error:
            return RowFilter(text, (), f"{expression}: {error}")
        terms.append(_Term(inverted, column, pattern))
    return RowFilter(text.strip(), tuple(terms))


def _texts(row: Row, column: int) -> Iterator[str]:
    yield plain(row.cells[column])
    if column in row.also:
        yield row.also[column]


def _column(name: str, columns: Sequence[Column]) -> int | None:
    lowered = name.lower()
    if not lowered:
        return None
    keys = [column.key for column in columns]
    if lowered in keys:
        return keys.index(lowered)
    others = [column.also for column in columns]
    if lowered in others:
        return others.index(lowered)
    starting = [index for index, key in enumerate(keys) if key.startswith(lowered) and len(lowered) >= 2]
    return starting[0] if len(starting) == 1 else None
