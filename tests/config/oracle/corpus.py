"""Small HOCON files that mix features at random, the same for the same seed."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

KEYS = ("a", "b", "c", "a.b", "b.c", "a.b.c", '"x.y"', "d-1", "a b")
SCALARS = (
    "1", "8.0", "-3", "1e3", "0.5", "007", "true", "false", "null", "yes", "on", "plain", "two words", '"quoted"', '""',
    '"a\\nb"', '"\\u00e9"', '"tab\\t"', '"""triple " quoted"""', '""""four""""', "10 minutes", "64 GiB", "5m", "1.2.3",
    "nullable", "trueish", "2024-01-02", "9223372036854775808", "12345678901234567", "-", "/a/path", "a/b", "é", ".5", "1.",
    "include", "x.y.z", '"a" b "c"', "1 2", "true story", "12 true null", "TRUE",
)  # fmt: skip
PATHS = ("a", "b", "c", "a.b", "b.c", "a.b.c", "d-1", "missing", '"x.y"', "REALMS_ORACLE", "a.c", "b.b")
ODDITIES = (
    ",", ",,", "{", "}", "[", "]", ":", "=", "+=", "\n", "\n\n", " ", "#c\n", "//c\n", '"', '"""', "\\", "$", "${", "${?", "?",
    "*", "&", "a", "1", "include", 'include "inc.conf"', "a : 1", "a {b:1}", "{c:2}", "[1,2]", "${a}", "${?b}", "\t", "\u00a0",
    "\ufeff", "a.b", ".", "a..b", "@", "!", "`", "^", "+", "-", "/", "//", "'", "(", ")", ";", "<", "|", "~", "%", "\r\n", "\f",
)  # fmt: skip


class Corpus:
    """Writes cases into a folder; each case is a main file, and an included one that all share."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.random = random.Random(seed)

    def write(self, count: int) -> list[Path]:
        """Write `count` files: two thirds well formed, the rest damaged or made of odd pieces."""
        paths = []
        for number in range(count):
            folder = self.folder / f"{number:04}"
            folder.mkdir()
            included = self.body(2) if number % 2 else 'b { c: 1, d: ${?a} }\n"inc": ${?c}\n'
            (folder / "inc.conf").write_text(included.replace('include "inc.conf"', ""), encoding="utf-8", newline="")
            path = folder / "main.conf"
            text = (self.body(0), self.body(0), self.damaged(), self.soup())[min(number % 6, 3)]
            path.write_text(text, encoding="utf-8", newline="")
            paths.append(path)
        return paths

    def body(self, depth: int) -> str:
        return self.random.choice(("\n", "\n", ", ", "\n\n")).join(
            self.entry(depth) for _ in range(self.random.randint(1, 6 - depth))
        )

    def entry(self, depth: int) -> str:
        chance = self.random.random()
        if chance < 0.06:
            return 'include "inc.conf"'
        key = self.random.choice(KEYS)
        if chance < 0.2 and depth < 3:
            return f"{key} {{ {self.body(depth + 1)} }}"
        if chance < 0.28:
            return f"{key} += {self.value(depth + 1)}"
        return f"{key}{self.random.choice((': ', '=', ' = ', ':'))}{self.value(depth)}"

    def value(self, depth: int) -> str:
        chance = self.random.random()
        if chance < 0.42 or depth > 3:
            return self.random.choice(SCALARS)
        if chance < 0.56:
            return self.reference()
        if chance < 0.68:
            return f"{{ {self.body(depth + 1)} }}"
        if chance < 0.78:
            return f"[{self.random.choice((', ', chr(10))).join(self.value(depth + 1) for _ in range(self.random.randint(0, 3)))}]"
        if chance < 0.86:
            return f"{self.reference()} {{ {self.body(depth + 1)} }}"
        if chance < 0.93:
            return f"{self.reference()} [{self.value(depth + 1)}]"
        return f"{self.reference()}{self.random.choice(('', ' '))}{self.random.choice(SCALARS)}"

    def reference(self) -> str:
        return f"${{{self.random.choice(('', '?', '?'))}{self.random.choice(PATHS)}}}"

    def damaged(self) -> str:
        text = self.body(0)
        at = self.random.randrange(len(text) + 1)
        if self.random.random() < 0.5:
            return text[:at] + text[at + 1 :]
        return text[:at] + self.random.choice(ODDITIES) + text[at:]

    def soup(self) -> str:
        return "".join(self.random.choice(ODDITIES) for _ in range(self.random.randint(1, 9)))
