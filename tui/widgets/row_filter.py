"""The filter language of tables: regular expressions, `!` inverts, `host:h3 state:running` for columns, `cpu>50`."""

import operator
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from core.text import nearest
from core.units import NotAQuantity, parse_duration, parse_size
from tui.render.cells import plain
from tui.render.figures import GIB
from tui.render.rows import Column, Measure, Row

_COMPARISON = re.compile(r"(?P<column>[a-z_]+)(?P<sign><=|>=|<|>)(?P<number>.*)", re.IGNORECASE | re.DOTALL)
_NAMED = re.compile(r"(?P<column>[a-z_]{3,}):", re.IGNORECASE)
"""A column's name before a colon. Shorter ones are what stands in addresses of PCI and Ethernet."""
_SIGNS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_SEARCHED = 400
"""Characters of a cell that are searched."""


@dataclass(frozen=True, slots=True)
class _Term:
    inverted: bool
    column: int | None
    """None: any column that is seen."""
    finds: Callable[[str], object] | None = None
    compare: Callable[[float], bool] | None = None

    def passes(self, row: Row, seen: Collection[int] | None) -> bool:
        return self._found(row, seen) is not self.inverted

    def _found(self, row: Row, seen: Collection[int] | None) -> bool:
        if self.compare is not None and self.column is not None:
            value = row.number(self.column)
            return value is not None and self.compare(value)
        columns = range(len(row.cells)) if self.column is None else (self.column,)
        searched = (column for column in columns if seen is None or column in seen or column == self.column)
        text = "\n".join(part for column in searched for part in _texts(row, column))
        return self.finds is None or bool(self.finds(text))


@dataclass(frozen=True, slots=True)
class RowFilter:
    """A filter as typed. One that can't be read has an `error` and lets every row pass."""

    text: str = ""
    terms: tuple[_Term, ...] = ()
    error: str = ""

    def __bool__(self) -> bool:
        return bool(self.text)

    def passes(self, row: Row, seen: Collection[int] | None = None) -> bool:
        """Whether a row has everything that the filter asks for; `seen`: the columns on the screen, None for all."""
        return all(term.passes(row, seen) for term in self.terms)


def parse_filter(text: str, columns: Sequence[Column]) -> RowFilter:
    """Read a filter: terms between blanks, all of which must hold. Never raises.

    A term is a regular expression for any column that is seen, or `column:expression` for one, seen or not (a
    beginning of its name is enough), or `column>number`, in the unit that the column shows or with one (`mem>=512MiB`);
    a leading `!` inverts it. Case never matters.
    """
    try:
        terms = tuple(_term(word, columns) for word in text.split() if word != "!")
    except ValueError as error:
        return RowFilter(text, (), str(error))
    return RowFilter(text.strip(), terms)


def _term(word: str, columns: Sequence[Column]) -> _Term:
    """Read a term; raises ValueError that says what is wrong with it."""
    inverted = word.startswith("!")
    body = word[1:] if inverted else word
    if comparison := _COMPARISON.fullmatch(body):
        column = _column(comparison["column"], columns)
        number = _number(comparison["number"], columns[column])
        return _Term(inverted, column, compare=partial(_holds, _SIGNS[comparison["sign"]], number))
    if named := _NAMED.match(body):
        return _Term(inverted, _column(named["column"], columns), _finder(body[named.end() :]))
    name, colon, rest = body.partition(":")
    if colon and (short := _find(name, columns)) is not None:
        return _Term(inverted, short, _finder(rest))
    return _Term(inverted, None, _finder(body))


def _holds(compare: Callable[[float, float], bool], number: float, value: float) -> bool:
    return compare(value, number)


def _number(text: str, column: Column) -> float:
    """Read what a column is compared with, in the unit of its values."""
    try:
        number = float(text) if text.isascii() else None
    except ValueError:
        number = None
    if number is not None:
        return number * GIB if column.measure is Measure.SIZE else number
    try:
        if column.measure is Measure.SIZE:
            return parse_size(text)
        if column.measure is Measure.DURATION:
            return parse_duration(text)
    except NotAQuantity as error:
        raise ValueError(str(error)) from error
    message = f"{text or 'nothing'} is not a number: {column.key}>5"
    raise ValueError(message)


def _finder(expression: str) -> Callable[[str], object]:
    """Return what looks for an expression in a text of several lines, in linear time. Raises ValueError."""
    if re.escape(expression) == expression:
        lowered = expression.lower()
        return lambda text: lowered in text.lower()
    import re2  # an engine that never backtracks: no expression hangs the screen

    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.never_nl = True
    try:
        pattern = re2.compile(f"(?m){expression}", options)
    except (re2.error, UnicodeEncodeError) as error:
        why = error.args[0]
        message = f"{expression}: {why.decode(errors='replace') if isinstance(why, bytes) else why}"
        raise ValueError(message) from error
    return lambda text: pattern.search(text if text.isascii() else text.encode(errors="replace").decode())


def _texts(row: Row, column: int) -> Iterator[str]:
    yield plain(row.cells[column])[:_SEARCHED]
    if column in row.also:
        yield row.also[column]


def _column(name: str, columns: Sequence[Column]) -> int:
    """Find a column by its name or a beginning of it; raises ValueError where there is none."""
    found = _find(name, columns)
    if found is None:
        keys = [column.key for column in columns]
        near = nearest(name, keys)
        message = f"no column {name}; did you mean {near}?" if near else f"no column {name}: {', '.join(keys)}"
        raise ValueError(message)
    return found


def _find(name: str, columns: Sequence[Column]) -> int | None:
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
