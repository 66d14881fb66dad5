"""Text into tokens, as the HOCON reference does it: what it refuses is refused, with the place."""

import bisect
import re
from dataclasses import dataclass
from enum import Enum

from core.codes import DiagnosticCode as Code
from core.config.syntax import SourcePlace, SyntaxMistake, TokenKind


class TextPosition(Enum):
    """Sorts of tokens; the marks of punctuation have their own text."""

    SPACE = "blank"
    NEWLINE = "new line"
    COMMENT = "comment"
    TRIPLE = "triple-quoted string"
    STRING = "string"
    SUBSTITUTION = "${"
    APPEND = "+="
    PUNCTUATION = "punctuation"
    NUMBER = "number"
    WORD = "word"
    END = "end of file"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of text; `text` of a string has quotes and escapes undone."""

    mark: TextPosition
    text: str
    start: int

    @property
    def is_simple(self) -> bool:
        """Whether this token can be part of a key or of an unquoted value."""
        return self.mark in _SIMPLE

    @property
    def kind(self) -> TokenKind:
        """What this token alone would be as a value."""
        if self.mark is TextPosition.NUMBER:
            return TokenKind.NUMBER
        if self.mark is TextPosition.WORD and self.text in _WORDS:
            return _WORDS[self.text]
        return TokenKind.STRING


_SIMPLE = frozenset({TextPosition.STRING, TextPosition.TRIPLE, TextPosition.NUMBER, TextPosition.WORD})
_WORDS = {"true": TokenKind.BOOLEAN, "false": TokenKind.BOOLEAN, "null": TokenKind.NULL}
_BLANK = " \t\r\f\v\x1c-\x1f\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_RESERVED = '$"{}[]:=,+#`^?!@*&\\'

_TOKEN = re.compile(
    rf"""
    (?P<SPACE>[{_BLANK}]+)
  | (?P<NEWLINE>\n)
  | (?P<COMMENT>(?:\#|//)[^\n]*)
  | (?P<TRIPLE>\"\"\".*?\"\"\"\"*)
  | (?P<STRING>"(?!"")(?:[^"\\\x00-\x1f\x7f-\x9f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{{4}}))*")
  | (?P<SUBSTITUTION>\$\{{\??)
  | (?P<APPEND>\+=)
  | (?P<PUNCTUATION>[{{}}\[\]:=,])
  | (?P<NUMBER>[0-9-][0-9eE+.-]*)
  | (?P<WORD>(?:[^{re.escape(_RESERVED)}{_BLANK}\n/\x00]|/(?!/))+)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_INTEGER = re.compile(r"-?[0-9]+")
_DOUBLE = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_STRING_INSIDE = re.compile(r'(?:[^"\\\x00-\x1f\x7f-\x9f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*')


class Lexer:
    """Gives the tokens of one file, one after the other; raises SyntaxMistake where there is none."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]
        self._position = 0

    def place(self, start: int) -> SourcePlace:
        """Line and column of an offset."""
        line = bisect.bisect_right(self._lines, start)
        return SourcePlace(self.file, line, start - self._lines[line - 1] + 1)

    def next(self) -> Token:
        """Read the next token; END again and again at the end."""
        start = self._position
        if start == len(self.text):
            return Token(TextPosition.END, "", start)
        match = _TOKEN.match(self.text, start)
        if match is None:
            raise self._mistake(start)
        mark = TextPosition[match.lastgroup or "END"]
        text = match[0]
        self._position = match.end()
        match mark:
            case TextPosition.STRING:
                text = self._unescape(text[1:-1], start)
            case TextPosition.TRIPLE:
                text = text[3:-3]
            case TextPosition.NUMBER:
                if not _is_number(text):  # a date, a range, a version: text, as long as it has no plus
                    if "+" in text:
                        raise self._reserved(start + text.index("+"))
                    mark = TextPosition.WORD
            case _:
                pass
        return Token(mark, text, start)

    def _unescape(self, inside: str, start: int) -> str:
        if "\\" not in inside:
            return inside
        units = _ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else _ESCAPED.get(m[2], m[2]), inside)
        try:
            return units.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError as error:
            raise SyntaxMistake(
                Code.INVALID_ESCAPE, self.place(start), "half of a surrogate pair in a \\u escape"
            ) from error

    def _mistake(self, start: int) -> SyntaxMistake:
        character = self.text[start]
        if character != '"':
            return self._reserved(start)
        if self.text.startswith('"""', start):
            return SyntaxMistake(Code.UNCLOSED_STRING, self.place(start), 'a string opened with """ is not closed')
        inside = _STRING_INSIDE.match(self.text, start + 1)
        end = inside.end() if inside else start + 1
        if end == len(self.text) or self.text[end] in "\n\r":
            return SyntaxMistake(
                Code.UNCLOSED_STRING, self.place(start), 'the quote " opened here is not closed on its line'
            )
        if self.text[end] == "\\":
            escape = self.text[end : end + 2]
            message = f"unknown escape {escape!s} in a quoted string"
            return SyntaxMistake(Code.INVALID_ESCAPE, self.place(end), message, "write \\\\ for a backslash")
        name = "a tab" if self.text[end] == "\t" else f"the control character U+{ord(self.text[end]):04X}"
        return SyntaxMistake(
            Code.CONTROL_CHARACTER,
            self.place(end),
            f"{name} in a quoted string",
            f"write {_escape_for(self.text[end])}",
        )

    def _reserved(self, start: int) -> SyntaxMistake:
        character = self.text[start]
        place = self.place(start)
        if character == "\0":
            return SyntaxMistake(
                Code.NUL_BYTE, place, "a NUL byte: this is not a text file", "save it as plain UTF-8 text"
            )
        if character == "$":
            return SyntaxMistake(
                Code.UNQUOTED_CHARACTER,
                place,
                "'$' without '{'",
                'a substitution is written ${path}; quote text that contains "$"',
            )
        end = self.text.find("\n", start)
        line = self.text[self.text.rfind("\n", 0, start) + 1 : end if end >= 0 else len(self.text)]
        message = f"the character '{character}' is not allowed outside quotes: {line.strip()}"
        return SyntaxMistake(Code.UNQUOTED_CHARACTER, place, message, "put double quotes around the value")


def _is_number(text: str) -> bool:
    if _INTEGER.fullmatch(text):
        return len(text) <= 20 and -(2**63) <= int(text) < 2**63
    return _DOUBLE.fullmatch(text) is not None


def _escape_for(character: str) -> str:
    return {"\t": "\\t", "\b": "\\b", "\f": "\\f"}.get(character, f"\\u{ord(character):04x}")
