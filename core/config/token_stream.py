"""The tokens of one file as its grammar wants them: looked at ahead, blanks skipped, paths read."""

from __future__ import annotations

from core.codes import DiagnosticCode
from core.config.lexer import Lexer, Mark, Token
from core.config.syntax import Place, SyntaxMistake

_SILENT = (Mark.SPACE, Mark.NEWLINE, Mark.COMMENT)


class TokenStream:
    """A file's tokens with one token of lookahead."""

    def __init__(self, file: str, text: str) -> None:
        self.lexer = Lexer(file, text)
        self.text = text
        self._next: Token | None = None

    def peek(self) -> Token:
        """Look at the next token without taking it."""
        if self._next is None:
            self._next = self.lexer.next()
        return self._next

    def take(self) -> Token:
        """Take the next token."""
        token = self.peek()
        self._next = None
        return token

    def skip(self) -> bool:
        """Skip blanks, comments and new lines; tell whether there was a new line."""
        newline = False
        while self.peek().mark in _SILENT:
            newline |= self.take().mark is Mark.NEWLINE
        return newline

    def place(self, token: Token) -> Place:
        """Line and column of a token."""
        return self.lexer.place(token.start)

    def is_next(self, text: str) -> bool:
        """Tell whether the next token is this mark of punctuation."""
        token = self.peek()
        return token.mark is Mark.PUNCTUATION and token.text == text

    def line(self, token: Token) -> int:
        """Line of a token."""
        return self.place(token).line

    def skip_blanks(self) -> None:
        """Skip blanks, but no new lines."""
        while self.peek().mark is Mark.SPACE:
            self.take()

    def simple_tokens(self) -> list[Token]:
        """Read simple tokens on one line, with the blanks between them, without those at the end."""
        tokens: list[Token] = []
        blank: Token | None = None
        while True:
            token = self.peek()
            if token.mark is Mark.SPACE:
                blank = self.take()
            elif token.is_simple:
                if blank is not None and tokens:
                    tokens.append(blank)
                blank = None
                tokens.append(self.take())
            else:
                return tokens

    def path_of(self, tokens: list[Token], place: Place) -> tuple[str, ...]:
        """Make a path of simple tokens: dots outside of quotes separate its elements."""
        elements = [""]
        quoted = [False]
        for token in tokens:
            if token.mark in (Mark.STRING, Mark.TRIPLE):
                elements[-1] += token.text
                quoted[-1] = True
                continue
            head, *rest = token.text.split(".")
            elements[-1] += head
            elements += rest
            quoted += [False] * len(rest)
        if any(not element and not is_quoted for element, is_quoted in zip(elements, quoted, strict=True)):
            text = "".join(token.text for token in tokens)
            message = f"the path '{text}' begins or ends with a dot, or has two in a row"
            raise SyntaxMistake(
                DiagnosticCode.INVALID_KEY, place, message, "put quotes around a key that contains dots"
            )
        return tuple(elements)

    def indentation(self, start: int) -> int:
        """Measure the blanks that begin the line of an offset."""
        line = self.line_text(start, strip=False)
        return len(line) - len(line.lstrip())

    def line_text(self, start: int, *, strip: bool = True) -> str:
        """Give the whole line of an offset."""
        end = self.text.find("\n", start)
        line = self.text[self.text.rfind("\n", 0, start) + 1 : end if end >= 0 else len(self.text)]
        return line.strip() if strip else line


def show(token: Token) -> str:
    """Name a token in a message."""
    if token.mark is Mark.END:
        return "the end of the file"
    if token.mark is Mark.NEWLINE:
        return "the end of the line"
    return f"'{token.text}'"
