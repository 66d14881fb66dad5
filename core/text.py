"""Text from outside, made safe to show. Raw names stay the keys; only what is displayed goes through here."""

from __future__ import annotations

import re

# C0 and C1 controls, DEL, line and paragraph separators, bidirectional overrides and isolates, zero-width and tag
# characters, lone surrogates: whatever moves the cursor, hides or reorders text on a terminal.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def printable(text: str) -> str:
    """Replace every character that could act on a terminal by a visible stand-in; other text is unchanged."""
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", text) if not text.isascii() or not text.isprintable() else text


def one_line(text: str, limit: int = 300) -> str:
    """Fold white space of a message from outside into single blanks, make it printable, and cut it at `limit`."""
    folded = printable(" ".join(text.split()))
    return folded if len(folded) <= limit else folded[: limit - 1] + "\N{HORIZONTAL ELLIPSIS}"


_DIGITS = re.compile(r"(\d{1,18})")


def natural_order(name: str) -> tuple[list[tuple[int, str]], str]:
    """Give a key that sorts names the way people do: h2 before h10, case aside; equal only for equal names."""
    parts = _DIGITS.split(name.casefold())
    return [(int(part), "") if index % 2 else (-1, part) for index, part in enumerate(parts)], name
