"""Small HOCON files that mix features at random, the same for the same seed.

Substitutions refer backwards, or to the key itself: what a cycle of optional ones means depends on the order in
which a reader resolves them, and is no subject of comparison.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SCALARS = (
    "1", "8.0", "-3", "1e3", "0.5", "007", "true", "false", "null", "yes", "on", "plain", "two words", '"quoted"',
    '""', '"a\\nb"', '"\\u00e9"', '"tab\\t"', '"""triple " quoted"""', '""""four""""', "10 minutes", "64 GiB", "5m",
    "1.2.3", "nullable", "trueish", "2024-01-02", "9223372036854775808", "12345678901234567", "-", "/a/path", "a/b",
    "é", ".5", "1.", "include", "x.y.z", '"a" b "c"', "1 2", "true story", "12 true null", "TRUE", "1 // comment",
    "v # comment", "8-16", "1E-5", "0.1e1", "\u00a0wide\u00a0", "'single'", "a;b", "50%", "<x>", "~", "|",
)  # fmt: skip
ODDITIES = (
    ",", ",,", "{", "}", "[", "]", ":", "=", "+=", "\n", "\n\n", " ", "#c\n", "//c\n", '"', '"""', "\\", "$", "${",
    "${?", "?", "*", "&", "a", "1", "include", 'include "inc.conf"', "a : 1", "a {b:1}", "{c:2}", "[1,2]", "${a}",
    "${?b}", "\t", "\u00a0", "\ufeff", "a.b", ".", "a..b", "@", "!", "`", "^", "+", "-", "/", "//", "'", "(", ")",
    ";", "<", "|", "~", "%", "\r\n", "\f", "\\u0041", '"\\u0041"', '"\\x"', '"\t"', "a=", "null", "true",
)  # fmt: skip
INCLUDED = "slope: 3\nvms { curve: linear, slope: 1 }\nhere = ${?first}\nit: ${slope}\n"


class Corpus:
    """Writes cases into a folder, each with a file that it may include."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.random = random.Random(seed)
        self._known: list[str] = []

    def orderly(self, count: int) -> list[Path]:
        """Write well-formed files: every key, substitution and include is right."""
        return [self._write("orderly", number, self._document()) for number in range(count)]

    def damaged(self, count: int) -> list[Path]:
        """Write files with a character taken out, or something odd put in."""
        return [self._write("damaged", number, self._damage(self._document())) for number in range(count)]

    def soup(self, count: int) -> list[Path]:
        """Write files of odd pieces."""
        return [
            self._write("soup", number, "".join(self.random.choices(ODDITIES, k=self.random.randint(1, 9))))
            for number in range(count)
        ]

    def _write(self, sort: str, number: int, text: str) -> Path:
        folder = self.folder / f"{sort}-{number:04}"
        folder.mkdir()
        (folder / "inc.conf").write_text(INCLUDED, encoding="utf-8")
        path = folder / "main.conf"
        path.write_text(text, encoding="utf-8", newline="")
        return path

    def _damage(self, text: str) -> str:
        at = self.random.randrange(len(text))
        if self.random.random() < 0.5:
            return text[:at] + text[at + 1 :]
        return text[:at] + self.random.choice(ODDITIES) + text[at:]

    def _document(self) -> str:
        self._known = []
        lines = ["first: 5"]
        for number in range(self.random.randint(2, 6)):
            lines += self._definition(f"k{number}")
            self._known.append(f"k{number}")
        if self.random.random() < 0.2:
            lines.insert(1, 'include "inc.conf"')
        return self.random.choice(("\n", "\n\n", ",\n", "\r\n", " # comment\n")).join(lines) + "\n"

    def _definition(self, key: str) -> list[str]:
        """Define a key, perhaps several times over, perhaps with what it was before."""
        sort = self.random.choice(("text", "list", "object", "object"))
        if sort == "text":
            again = [f"{key} = ${{{key}}}{self._scalar()}"] if self.random.random() < 0.4 else []
            return [f"{key}{self._separator()}{self._text()}", *again]
        if sort == "list":
            lines = [f"{key}{self._separator()}{self._list()}"]
            if self.random.random() < 0.5:
                lines.append(self.random.choice((f"{key} += {self._text()}", f"{key} = ${{{key}}} {self._list()}")))
            return lines
        lines = [f"{key}{self.random.choice((' ', ': ', ' = '))}{self._object(1)}"]
        if self.random.random() < 0.6:
            more = (f"{key} {self._object(1)}", f"{key}.x.y = {self._text()}", f"{key} = ${{?{key}}} {self._object(1)}",
                    f"{key}.a: null")  # fmt: skip
            lines += self.random.choices(more, k=self.random.randint(1, 2))
        elif self.random.random() < 0.5:
            lines.append(f"{key}.own = ${{?{key}.a}}")
        return lines

    def _object(self, depth: int) -> str:
        keys = self.random.sample(("a", "b", "c-d", '"e.f"', "x.y", "g h", '"true"', "7"), k=self.random.randint(0, 3))
        entries = [f"{key}{self._separator()}{self._value(depth)}" for key in keys]
        if "b" in keys:
            entries.append(f"b = {self._scalar()}")
        if self.random.random() < 0.15:
            entries.append('include "inc.conf"')
        inherited = [known for known in self._known if self.random.random() < 0.15]
        body = "{ " + self.random.choice((", ", "\n", " ,\n")).join(entries) + " }"
        return f": ${{?{inherited[0]}.x}} {body}"[2:] if inherited and depth > 1 else body

    def _value(self, depth: int) -> str:
        chance = self.random.random()
        if chance < 0.2 and depth < 3:
            return self._object(depth + 1)
        if chance < 0.35:
            return self._list()
        if chance < 0.45 and self._known:
            return f"${{{self.random.choice(self._known)}}}"
        return self._text()

    def _list(self) -> str:
        items = [self._text() for _ in range(self.random.randint(0, 3))]
        return (
            "["
            + self.random.choice((", ", "\n", ",\n")).join(items)
            + self.random.choice(("]", ",]" if items else "]"))
        )

    def _text(self) -> str:
        chance = self.random.random()
        if chance < 0.1:
            return "${first}" + self.random.choice(("", " GiB", "x"))
        if chance < 0.15:
            return "${REALMS_ORACLE}"
        if chance < 0.2:
            return "before ${?missing}after"
        return self._scalar()

    def _scalar(self) -> str:
        return self.random.choice(SCALARS)

    def _separator(self) -> str:
        return self.random.choice((": ", "=", " = ", ":", " :\n  "))
