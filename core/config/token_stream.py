"""The tokens of one file as its grammar wants them: looked at ahead, blanks skipped, paths read."""

from core.codes import DiagnosticCode as Code
from core.config.lexer import Lexer, TextPosition, Token
from core.config.syntax import Include, SourcePlace, SyntaxMistake

_SILENT = (TextPosition.SPACE, TextPosition.NEWLINE, TextPosition.COMMENT)


_WAYS = ("url", "file", "classpath", "package")
_INCLUDES = 'write include "file.conf", or include required("file.conf")'


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
            newline |= self.take().mark is TextPosition.NEWLINE
        return newline

    def place(self, token: Token) -> SourcePlace:
        """Line and column of a token."""
        return self.lexer.place(token.start)

    def is_next(self, *texts: str) -> bool:
        """Return whether the next token is one of these marks of punctuation."""
        token = self.peek()
        return token.mark is TextPosition.PUNCTUATION and token.text in texts

    def line(self, token: Token) -> int:
        """Line of a token."""
        return self.place(token).line

    def skip_blanks(self) -> None:
        """Skip blanks, but no new lines."""
        while self.peek().mark is TextPosition.SPACE:
            self.take()

    def simple_tokens(self) -> list[Token]:
        """Read simple tokens on one line, with the blanks between them, without those at the end."""
        tokens: list[Token] = []
        blank: Token | None = None
        while True:
            token = self.peek()
            if token.mark is TextPosition.SPACE:
                blank = self.take()
            elif token.is_simple:
                if blank is not None and tokens:
                    tokens.append(blank)
                blank = None
                tokens.append(self.take())
            else:
                return tokens

    def path_of(self, tokens: list[Token], place: SourcePlace) -> tuple[str, ...]:
        """Make a path of simple tokens: dots outside of quotes separate its elements."""
        elements = [""]
        quoted = [False]
        for token in tokens:
            if token.mark in (TextPosition.STRING, TextPosition.TRIPLE):
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
            raise SyntaxMistake(Code.INVALID_KEY, place, message, "quote a key that contains dots")
        return tuple(elements)

    def read_include(self) -> Include:
        """Read an include, from its first word to its file's name."""
        place = self.place(self.take())
        self.skip()
        token = self.peek()
        if token.mark in (TextPosition.STRING, TextPosition.TRIPLE):
            self.take()
            return Include(place, "", token.text)
        brackets = 0
        way = ""
        while self.peek().mark is TextPosition.WORD:
            word = self.take()
            for name in word.text.split("(")[:-1]:
                if name not in (*_WAYS, "required") or (name == "required" and brackets) or way:
                    raise SyntaxMistake(
                        Code.INVALID_INCLUDE, self.place(word), f"'include {word.text}' is not supported", _INCLUDES
                    )
                way = way if name == "required" else name
                brackets += 1
            if not word.text.endswith("("):
                raise SyntaxMistake(
                    Code.INVALID_INCLUDE, self.place(word), f"include of '{word.text}' without quotes", _INCLUDES
                )
            self.skip()
        target = self.peek()
        if target.mark not in (TextPosition.STRING, TextPosition.TRIPLE):
            raise SyntaxMistake(
                Code.INVALID_INCLUDE,
                self.place(target),
                f"an include needs a file name in quotes, not {show(target)}",
                _INCLUDES,
            )
        self.take()
        closed = 0
        while closed < brackets:
            self.skip()
            word = self.peek()
            if word.mark is not TextPosition.WORD or set(word.text) != {")"} or closed + len(word.text) > brackets:
                raise SyntaxMistake(
                    Code.INVALID_INCLUDE,
                    self.place(word),
                    f"the include's parenthesis is not closed before {show(word)}",
                )
            closed += len(self.take().text)
        return Include(place, way, target.text)

    def indentation(self, start: int) -> int:
        """Measure the blanks that begin the line of an offset."""
        line = self.line_text(start, strip=False)
        return len(line) - len(line.lstrip())

    def line_text(self, start: int, *, strip: bool = True) -> str:
        """Return the whole line of an offset."""
        end = self.text.find("\n", start)
        line = self.text[self.text.rfind("\n", 0, start) + 1 : end if end >= 0 else len(self.text)]
        return line.strip() if strip else line


def show(token: Token) -> str:
    """Name a token in a message."""
    if token.mark is TextPosition.END:
        return "the end of the file"
    if token.mark is TextPosition.NEWLINE:
        return "the end of the line"
    return f"'{token.text}'"
