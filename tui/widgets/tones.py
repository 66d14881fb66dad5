"""The colours of tones, for every widget that draws pieces of text."""

from collections.abc import Iterable

from textual.content import Content

from core.text import printable
from tui.render.cells import Piece, Tone

TONE_CLASSES = frozenset(f"tone--{tone.value}" for tone in Tone if tone)
"""Component classes that give each tone its style."""

TONE_CSS = """
.tone--good { color: $success; }
.tone--warn { color: $warning; }
.tone--bad { color: $error; text-style: bold; }
.tone--dim { color: $faint; }
.tone--muted { color: $muted; }
.tone--strong { text-style: bold; }
.tone--accent { color: $accent; }
.tone--bar { color: $primary; }
.tone--track { color: $track; }
"""

_STYLES = {
    Tone.GOOD: "$success",
    Tone.WARN: "$warning",
    Tone.BAD: "$error bold",
    Tone.DIM: "$faint",
    Tone.MUTED: "$muted",
    Tone.STRONG: "bold",
    Tone.ACCENT: "$accent",
    Tone.BAR: "$primary",
    Tone.TRACK: "$track",
}


def content(pieces: Iterable[Piece]) -> Content:
    """Make of pieces what Textual's own widgets show: printable, and never read as markup."""
    return Content.assemble(*((printable(text), _STYLES.get(tone, "")) for text, tone in pieces))


def paragraphs(lines: Iterable[Iterable[Piece]]) -> Content:
    """Join lines of pieces below each other."""
    return Content("\n").join([content(line) for line in lines])
