"""A question that is asked before something is done."""

from dataclasses import dataclass

from tui.render.cells import Piece

Line = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A dialog: what is asked, what will happen, and the word on the button that does it."""

    title: str
    lines: tuple[Line, ...]
    verb: str
    destructive: bool = False
    to_type: str = ""
    """What must be typed before the button works; empty: nothing."""
    otherwise: str = "Cancel"
    """The word on the button that does nothing."""
