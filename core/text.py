"""Text from outside, made safe to show. Raw names stay the keys; only what is displayed goes through here."""

import json
import re
import shlex
import unicodedata
from collections.abc import Iterable

# C0 and C1 controls, DEL, line and paragraph separators, bidirectional overrides and isolates, zero-width and tag
# characters, lone surrogates: whatever moves the cursor, hides or reorders text on a terminal.
_UNSAFE_BEYOND_C0 = (
    "\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f"
)
_UNSAFE = re.compile(f"[\x00-\x1f{_UNSAFE_BEYOND_C0}]")
_UNSAFE_IN_JSON = re.compile(f"[{_UNSAFE_BEYOND_C0}]")  # its own line breaks stay; others are escaped already


def plural(count: int, noun: str) -> str:
    """Write a number of things: "1 VM", "12 VMs"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def printable(text: str) -> str:
    """Replace every character that could act on a terminal by a visible stand-in; other text is unchanged."""
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", text) if not text.isascii() or not text.isprintable() else text


def json_text(value: object, *, indent: int | None = None) -> str:
    """Return a value as strict JSON in which nothing can act on a terminal: such characters are written as escapes.

    Raises ValueError for NaN and infinity.
    """
    text = json.dumps(value, indent=indent, allow_nan=False, ensure_ascii=False)
    return text if text.isascii() and "\x7f" not in text else _UNSAFE_IN_JSON.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1] if found[0] != "\x7f" else "\\u007f"


def one_line(text: str, limit: int = 300) -> str:
    """Fold white space of a message from outside into single blanks, make it printable, and cut it at `limit`."""
    folded = printable(" ".join(text.split()))
    return folded if len(folded) <= limit else folded[: limit - 1] + "\N{HORIZONTAL ELLIPSIS}"


def shell_command(words: str, *values: object) -> str:
    """Return a command that is safe to paste: `words` as they are, then each value as one word, quoted where needed."""
    return " ".join((words, *(shlex.quote(str(value)) for value in values)))


def nearest(word: str, known: Iterable[str], close: float = 0.7) -> str:
    """Return the known word that was probably meant, or an empty one; case and separators don't count.

    `close` is how alike they have to be, from 0 to 1: `shh` and `ssh` are two thirds.
    """
    import difflib  # only mistakes need it

    folded = {_folded(name): name for name in known}
    wanted = _folded(word)
    for same in (_letters, sorted):  # transposed letters make short words unlike
        for key, name in folded.items():
            if same(key) == same(wanted):
                return name
    near = difflib.get_close_matches(wanted, folded, 1, close)
    return folded[near[0]] if near else ""


def _letters(word: str) -> list[str]:
    return [character for character in word if character.isalnum()]


def _folded(word: str) -> str:
    return unicodedata.normalize("NFKC", word).casefold()


_DIGITS = re.compile("([0-9]+)")


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key that sorts names the way people do: h2 before h10, case aside; equal only for equal names."""
    key = []
    for part in filter(None, _DIGITS.split(name)):
        digits = part.lstrip("0")  # compared as text, by their number first: there may be thousands
        is_number = part.isascii() and part.isdigit()
        key.append((0, len(digits), digits) if is_number else (1, 0, part.casefold()))
    return (*key, (-1, 0, name))
