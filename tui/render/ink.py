"""Text in inks: what a pure drawing gives, and a widget paints in the theme's colours."""

from dataclasses import dataclass
from enum import StrEnum


class Ink(StrEnum):
    """What a stroke of text is, so that a theme can say how it looks."""

    BLANK = "blank"
    PLAIN = "plain"
    STRONG = "strong"
    QUIET = "quiet"
    AXIS = "axis"
    TICK = "tick"
    CURVE = "curve"
    WAS = "was"
    """What a what-if has changed, as it was."""
    LIMIT = "limit"
    CUT = "cut"
    INFINITE = "infinite"
    INFINITE_LABEL = "infinite-label"
    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Stroke:
    """A run of characters of one ink."""

    text: str
    ink: Ink = Ink.PLAIN


Line = tuple[Stroke, ...]


def line_text(line: Line) -> str:
    """Return the characters of a line."""
    return "".join(piece.text for piece in line)
