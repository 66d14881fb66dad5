"""Damage done to a text at random: pieces taken out, moved, doubled, and put in that have broken readers before."""

from __future__ import annotations

from random import Random

PIECES = (
    "\u00b2", "1e9999999", "0x", "-", "9" * 400, "9" * 5000, "{", "}", "[", "]", '"', "\\", "${?x}", "include", "\x00",
    "\ud800", "\u202e", "Infinity", "NaN", "null", "true", "..", ".", "=", ":", "+=", "//", "#", '"""', "1 week", "h3m",
    "%", "%00", "<!--", "-->", "<!DOCTYPE", "&a;", "'", "]]>", "(a+)+$", "\n", "\r\n", "\ufeff", "[" * 2000, "/" * 300,
)  # fmt: skip


def mutated(random: Random, text: str) -> str:
    """Return a text with some damage; by characters, or by words."""
    parts = list(text) if random.random() < 0.5 else text.split(" ")
    joint = "" if len(parts) == len(text) else " "
    for _ in range(random.randint(1, 6)):
        at = random.randrange(len(parts) + 1)
        how = random.random()
        if how < 0.45 or not parts:
            parts.insert(at, random.choice(PIECES))
        elif how < 0.75:
            del parts[at : at + random.randint(1, 8)]
        elif at < len(parts):
            parts[at] = random.choice(parts)
    return joint.join(parts)
