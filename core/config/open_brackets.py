"""The blocks and lists of a file that are open while it is read: what a missing or extra bracket is judged by."""

from dataclasses import dataclass, field
from typing import NoReturn

from core.codes import DiagnosticCode as Code
from core.config.lexer import Token
from core.config.syntax import Block, Expression, Include, ListExpression, ObjectEntry, SourcePlace, SyntaxMistake
from core.config.token_stream import TokenStream

MAX_DEPTH = 400
"""Blocks and lists nested deeper than this are refused: other readers of the file would run out of stack."""


@dataclass(slots=True)
class OpenBracket:
    """A block or list whose end was not reached yet."""

    start: int
    bracket: str
    entries: list[ObjectEntry | Include] = field(default_factory=list)
    items: list[Expression] = field(default_factory=list)
    pending: tuple[SourcePlace, tuple[str, ...], bool] | None = None
    """Key whose value is being read."""


class OpenBrackets:
    """The open blocks and lists, the innermost last."""

    def __init__(self, stream: TokenStream) -> None:
        self.depth = 0
        """How many were open at most."""
        self._stream = stream
        self._open: list[OpenBracket] = []
        self._closed_by_outer_brace: list[int] = []
        self._closed_by_inner_brace: list[int] = []

    @property
    def innermost(self) -> OpenBracket:
        """The block or list that is read now."""
        return self._open[-1]

    def begin_file(self) -> None:
        """Open the block that a file without braces is."""
        self._open.append(OpenBracket(0, ""))

    def open(self, bracket: str) -> SourcePlace:
        """Take an opening bracket; returns its place. Raises SyntaxMistake where too many are open."""
        token = self._stream.take()
        place = self._stream.place(token)
        if len(self._open) >= MAX_DEPTH:
            raise SyntaxMistake(Code.NESTED_TOO_DEEPLY, place, f"more than {MAX_DEPTH} nested blocks")
        self._open.append(OpenBracket(token.start, bracket))
        self.depth = max(self.depth, len(self._open))
        return place

    def close(self) -> OpenBracket:
        """Take the closing bracket of the innermost, and return what was read in it."""
        closing = self._stream.take().start
        if self.innermost.bracket == "{":
            self._compare_indentation(self.innermost.start, closing)
        return self._open.pop()

    def end_file(self) -> OpenBracket:
        """Return what a file without braces holds."""
        return self._open.pop()

    def _compare_indentation(self, opening: int, closing: int) -> None:
        """Remember the blocks whose closing brace stands on a line of its own, and not below their first line."""
        if self._stream.line_text(closing).startswith("}"):
            difference = self._stream.indentation(closing) - self._stream.indentation(opening)
            if difference < 0:
                self._closed_by_outer_brace.append(opening)
            elif difference > 0:
                self._closed_by_inner_brace.append(closing)

    def hint_at_extra_brace(self) -> str:
        """Return which brace is probably the one too many."""
        if self._closed_by_inner_brace:
            line = self._stream.lexer.place(self._closed_by_inner_brace[0]).line
            return f"judging by indentation, the extra brace is in line {line}"
        return "a block was closed too early, or this brace is extra"

    def fail_unclosed(self, end: Token) -> NoReturn:
        """Name the bracket left open, and the one that by its indentation lacks its end."""
        opened = self.innermost
        place_of = self._stream.lexer.place
        what = "brace '{'" if opened.bracket == "{" else "bracket '['"
        message = f"end of file, but the {what} opened in line {place_of(opened.start).line} is not closed"
        suspect = self._indented_block_that_lacks_its_end()
        hint = ""
        if suspect is not None and suspect != opened.start:
            text = self._stream.line_text(suspect)
            hint = f"judging by indentation, the one in line {place_of(suspect).line} is not closed: {text}"
        raise SyntaxMistake(Code.UNCLOSED_BRACKET, self._stream.place(end), message, hint)

    def _indented_block_that_lacks_its_end(self) -> int | None:
        """Find a block that was closed by a brace, or holds an entry, that its indentation gives to an outer block."""
        if self._closed_by_outer_brace:
            return self._closed_by_outer_brace[0]
        for opened in reversed(self._open):
            inner = [entry.place for entry in opened.entries]
            if opened.pending is not None:
                inner.append(opened.pending[0])
            first = self._stream.lexer.place(opened.start).line
            own = self._stream.indentation(opened.start)
            if opened.bracket and any(place.line > first and place.column - 1 <= own for place in inner):
                return opened.start
        return None

    def rescue(self) -> Block:
        """Close whatever is open, so that what was read before a mistake can still be checked."""
        inner: Block | ListExpression | None = None
        for opened in reversed(self._open):
            if inner is not None:
                if opened.pending is not None:
                    place, path, appends = opened.pending
                    opened.entries.append(ObjectEntry(place, path, inner, appends))
                elif opened.bracket == "[":
                    opened.items.append(inner)
            place = self._stream.lexer.place(opened.start)
            if opened.bracket == "[":
                inner = ListExpression(place, tuple(opened.items))
            else:
                inner = Block(place, tuple(opened.entries), complete=False)
        self._open.clear()
        if isinstance(inner, Block):
            return inner
        return Block(SourcePlace(self._stream.lexer.file, 1, 1), (), complete=False)
