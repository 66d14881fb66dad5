"""One HOCON file into its syntax tree, with the place of every key, value and include.

The grammar is the reference implementation's: a separator between two entries is a comma or a new line, never two
commas; a value goes on until the end of its line.
"""

from dataclasses import dataclass
from typing import NoReturn

from core.codes import DiagnosticCode as Code
from core.config.lexer import TextPosition, Token
from core.config.open_brackets import OpenBracket, OpenBrackets
from core.config.syntax import (
    Block,
    Concatenation,
    Expression,
    Include,
    ListExpression,
    Literal,
    ObjectEntry,
    Reference,
    SourcePlace,
    SyntaxMistake,
    TokenKind,
    render_path,
)
from core.config.token_stream import TokenStream, show


@dataclass(frozen=True, slots=True)
class Scan:
    """A file's tree. With a mistake it holds what stands before the mistake, its open blocks marked incomplete."""

    root: Block
    mistake: SyntaxMistake | None = None
    joined: tuple[SourcePlace, ...] = ()
    """Where an object stands beside another one: HOCON merges the two."""
    depth: int = 0
    """Blocks and lists inside each other, at most."""


def scan(file: str, text: str) -> Scan:
    """Read the text of one file; `file` is the name that its places carry."""
    scanner = _Scanner(file, text)
    try:
        root = scanner.read_file()
    except SyntaxMistake as mistake:
        return Scan(scanner.brackets.rescue(), mistake, tuple(scanner.joined), scanner.brackets.depth)
    return Scan(root, None, tuple(scanner.joined), scanner.brackets.depth)


class _Scanner(TokenStream):
    def __init__(self, file: str, text: str) -> None:
        super().__init__(file, text)
        self.joined: list[SourcePlace] = []
        self.brackets = OpenBrackets(self)

    # Blocks

    def read_file(self) -> Block:
        self.skip()
        if self.is_next("["):
            raise SyntaxMistake(
                Code.ROOT_NOT_BLOCK, self.place(self.peek()), "the file is a list; expected keys and values"
            )
        if self.is_next("{"):
            root = self.read_block()
            self.skip()
            token = self.peek()
            if token.mark is not TextPosition.END:
                message = f"{show(token)} after the closing brace of the file"
                raise SyntaxMistake(Code.UNEXPECTED_TEXT, self.place(token), message, "is there an extra '}' above?")
            return root
        self.brackets.begin_file()
        self.read_entries()
        return Block(SourcePlace(self.lexer.file, 1, 1), tuple(self.brackets.end_file().entries))

    def read_block(self) -> Block:
        place = self.brackets.open("{")
        self.read_entries()
        return Block(place, tuple(self.brackets.close().entries))

    def read_entries(self) -> None:
        """Read entries up to the closing brace of the block, or the end of the file for the file's own entries."""
        inside = self.brackets.innermost
        while True:
            self.skip()
            if self.at_end_of_entries(inside):
                return
            token = self.peek()
            if token.mark is TextPosition.WORD and token.text == "include":
                inside.entries.append(self.read_include())
            else:
                self.read_entry(inside)
            newline = self.skip()
            if self.is_next(","):
                self.take()
            elif not newline and not self.at_end_of_entries(inside):
                self.fail_after_value(inside)

    def at_end_of_entries(self, inside: OpenBracket) -> bool:
        token = self.peek()
        if token.mark is TextPosition.END:
            if inside.bracket:
                self.brackets.fail_unclosed(token)
            return True
        if self.is_next("}"):
            if not inside.bracket:
                raise SyntaxMistake(
                    Code.UNOPENED_BRACKET,
                    self.place(token),
                    "a closing brace '}' without an opening one",
                    self.brackets.hint_at_extra_brace(),
                )
            return True
        return False

    def read_entry(self, inside: OpenBracket) -> None:
        first = self.peek()
        place = self.place(first)
        path = self.read_path(first)
        key = render_path(path)
        inside.pending = (place, path, False)
        self.skip()
        token = self.peek()
        if self.is_next("{"):
            value: Expression = self.read_block()
        elif token.mark is TextPosition.APPEND or self.is_next(":", "="):
            inside.pending = (place, path, token.mark is TextPosition.APPEND)
            value = self.read_value(f"{key!s}", place)
        elif token.mark is TextPosition.END or token.text in ("}", ",", "]") or self.line(token) > place.line:
            raise SyntaxMistake(Code.MISSING_VALUE, place, f"'{key}' has no value", self.hint_no_value(inside, key))
        else:
            message = f"{show(token)} after the key '{key}'"
            raise SyntaxMistake(
                Code.UNEXPECTED_TEXT, self.place(token), message, f"write {key}: value, or {key} {{ ... }}"
            )
        appends = inside.pending[2]
        inside.pending = None
        inside.entries.append(ObjectEntry(place, path, value, appends))

    def hint_no_value(self, inside: OpenBracket, key: str) -> str:
        if key.isdigit() and inside.entries:
            return "write numbers with a decimal point and without thousands separators"
        return f"write {key}: value"

    def read_path(self, first: Token) -> tuple[str, ...]:
        tokens = self.simple_tokens()
        if not tokens:
            place = self.place(first)
            if self.is_next(","):
                raise SyntaxMistake(
                    Code.UNEXPECTED_TEXT,
                    place,
                    "a comma with nothing before it",
                    "separate entries with one comma or a newline",
                )
            if first.mark is TextPosition.SUBSTITUTION:
                raise SyntaxMistake(Code.INVALID_KEY, place, "a key can't be a substitution")
            if self.is_next("]"):
                raise SyntaxMistake(Code.UNOPENED_BRACKET, place, "a closing bracket ']' without an opening one")
            raise SyntaxMistake(
                Code.INVALID_KEY,
                place,
                f"{show(first)} where a key should stand",
                "write a key, then ':' or '=' and its value",
            )
        return self.path_of(tokens, self.place(first))

    # Values

    def read_value(self, key: str, key_place: SourcePlace) -> Expression:
        """Read the value after a separator: everything up to the end of the line, a comma or a closing bracket."""
        self.take()
        newline = self.skip()
        parts = self.read_parts()
        token = self.peek()
        follows = self.is_next(":", "=") or token.mark is TextPosition.APPEND
        if newline and (follows or _is_entry(parts)):
            raise SyntaxMistake(
                Code.MISSING_VALUE, key_place, f"'{key}' has no value: the next line was read as its value"
            )
        if not parts:
            if self.is_next(":", "="):
                raise SyntaxMistake(Code.UNEXPECTED_TEXT, self.place(token), f"{show(token)} twice after '{key}'")
            hint = 'write "" for an empty string'
            if token.mark is TextPosition.END:
                raise SyntaxMistake(Code.MISSING_VALUE, key_place, f"'{key}' has no value, and the file ends", hint)
            raise SyntaxMistake(Code.MISSING_VALUE, key_place, f"'{key}' has no value before {show(token)}", hint)
        return self.join(parts)

    def read_parts(self) -> list[Expression]:
        parts: list[Expression] = []
        blank: Token | None = None
        simple = False
        while True:
            token = self.peek()
            if token.mark is TextPosition.SPACE:
                blank = self.take()
                continue
            if token.is_simple or token.mark is TextPosition.SUBSTITUTION:
                if simple and blank is not None:
                    parts.append(Literal(self.place(blank), TokenKind.STRING, blank.text, blank=True))
                parts.append(self.read_reference() if token.mark is TextPosition.SUBSTITUTION else self.read_literal())
                simple = True
            elif self.is_next("{"):
                parts.append(self.read_block())
                simple = False
            elif self.is_next("["):
                parts.append(self.read_list())
                simple = False
            else:
                return parts
            blank = None

    def read_literal(self) -> Literal:
        token = self.take()
        return Literal(
            self.place(token), token.kind, token.text, quoted=token.mark in (TextPosition.STRING, TextPosition.TRIPLE)
        )

    def read_reference(self) -> Reference:
        opening = self.take()
        place = self.place(opening)
        self.skip_blanks()
        first = self.peek()
        tokens = self.simple_tokens()
        if not tokens or not self.is_next("}"):
            if first.mark in (TextPosition.END, TextPosition.NEWLINE) or self.peek().mark in (
                TextPosition.END,
                TextPosition.NEWLINE,
            ):
                raise SyntaxMistake(Code.INVALID_SUBSTITUTION, place, "the substitution ${ is not closed with }")
            raise SyntaxMistake(
                Code.INVALID_SUBSTITUTION, place, "a substitution contains one path", "such as ${defaults.memory}"
            )
        path = self.path_of(tokens, place)
        self.take()
        return Reference(place, path, optional=opening.text.endswith("?"))

    def read_list(self) -> ListExpression:
        place = self.brackets.open("[")
        inside = self.brackets.innermost
        self.skip()
        while not self.is_next("]"):
            parts = self.read_parts()
            if not parts:
                self.fail_in_list(inside)
            inside.items.append(self.join(parts))
            newline = self.skip()
            if self.is_next(","):
                self.take()
                self.skip()
            elif not newline and not self.is_next("]"):
                self.fail_in_list(inside)
        return ListExpression(place, tuple(self.brackets.close().items))

    def join(self, parts: list[Expression]) -> Expression:
        """Make one value of parts side by side; texts are joined here, what holds a substitution is joined later."""
        if len(parts) == 1:
            return parts[0]
        place = parts[0].place
        if all(isinstance(part, Literal) for part in parts):
            return Literal(place, TokenKind.STRING, "".join(part.text for part in parts if isinstance(part, Literal)))
        blocks = [part for part in parts if isinstance(part, Block)]
        self.joined += [block.place for block in blocks[1:]]
        sorts = {type(part) for part in parts if not isinstance(part, Reference | Literal) or _is_text(part)}
        if len(sorts) > 1:
            other = next(part for part in parts[1:] if type(part) is not type(parts[0]))
            message = "a string, list or object next to a value of another kind"
            raise SyntaxMistake(Code.MIXED_VALUE, other.place, message, "is a comma or newline missing?")
        return Concatenation(place, tuple(parts))

    # Mistakes

    def fail_after_value(self, inside: OpenBracket) -> NoReturn:
        token = self.peek()
        place = self.place(token)
        last = inside.entries[-1]
        if isinstance(last, Include):
            raise SyntaxMistake(
                Code.UNEXPECTED_TEXT, place, f"{show(token)} after an include", "put the next entry on its own line"
            )
        key = render_path(last.path)
        if not self.is_next(":", "="):
            message = f"{show(token)} after the value of '{key}'"
            hint = "this bracket is extra" if self.is_next("]") else "a comma or newline is missing"
            raise SyntaxMistake(Code.UNEXPECTED_TEXT, place, message, hint)
        inside.entries.pop()  # what was read as its value is not what was meant
        value = last.value
        line = self.text[: token.start].rpartition("\n")[2]
        words = line.split()
        if isinstance(value, Literal) and not value.quoted and len(value.text.split()) < 2:
            start = self.text.rfind(value.text, 0, token.start)
            raw = self.text[start:].partition("\n")[0].split(",")[0].split("}")[0].strip()
            message = (
                f"a ':' in the unquoted value of '{key}': {raw}"
                if token.text == ":"
                else f"'=' in the value of '{key}'"
            )
            raise SyntaxMistake(Code.UNQUOTED_CHARACTER, last.value.place, message, f'quote it: {key}: "{raw}"')
        message = f"{show(token)} after the value of '{key}'"
        raise SyntaxMistake(
            Code.UNEXPECTED_TEXT,
            place,
            message,
            f"a comma or newline is missing before '{words[-1] if words else key}'",
        )

    def fail_in_list(self, inside: OpenBracket) -> NoReturn:
        token = self.peek()
        place = self.place(token)
        if token.mark is TextPosition.END:
            self.brackets.fail_unclosed(token)
        opened = self.lexer.place(inside.start)
        if token.text == "," and token.mark is TextPosition.PUNCTUATION:
            raise SyntaxMistake(
                Code.UNEXPECTED_TEXT,
                place,
                "two commas in a row in a list" if inside.items else "a list begins with a comma",
            )
        if self.is_next(":", "="):
            hint = 'quote text that contains a colon, such as "0000:41:00.0"; an object needs braces'
            raise SyntaxMistake(Code.UNQUOTED_CHARACTER, place, f"{show(token)} inside a list", hint)
        message = f"{show(token)} in the list opened in line {opened.line}, which is not closed with ']'"
        raise SyntaxMistake(
            Code.UNCLOSED_BRACKET, place, message, "a comma, a newline or the closing bracket is missing"
        )


def _is_text(part: Expression) -> bool:
    return isinstance(part, Literal) and not part.blank


def _is_entry(parts: list[Expression]) -> bool:
    """Return whether what was read as a value is rather an entry of its own: a key and its block."""
    return len(parts) == 2 and isinstance(parts[0], Literal) and isinstance(parts[1], Block)
