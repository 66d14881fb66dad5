"""What stands in a table's border: its heading, the filter, how many rows it shows, how many are marked."""

from textual.content import Content

from tui.render.cells import Piece, Tone
from tui.widgets.grid_model import GridModel
from tui.widgets.tones import content

_DASH: Piece = (" \N{BOX DRAWINGS LIGHT HORIZONTAL} ", Tone.PLAIN)
_TEXT_CURSOR = "\N{LEFT HALF BLOCK}"


def title(model: GridModel, heading: str, draft: str | None, *, waiting: bool) -> Content:
    """Compose the border's title: "Hosts - /gpu - 3 of 8 - 2 marked".

    `draft` is the filter while it is written; `waiting` leaves out numbers that nobody knows yet.
    """
    pieces: list[Piece] = [(heading, Tone.STRONG)]
    if draft is not None:
        pieces += [_DASH, (f"/{draft}{_TEXT_CURSOR}", Tone.ACCENT)]
    elif model.filter.text:
        pieces += [_DASH, (f"/{model.filter.text}", Tone.ACCENT)]
    if model.filter.error:
        pieces += [_DASH, (model.filter.error, Tone.BAD)]
    elif not waiting:
        numbers = f"{len(model.shown)} of {len(model)}" if model.filter else f"{len(model)}"
        pieces += [_DASH, (numbers, Tone.PLAIN)]
    if model.marks:
        pieces += [_DASH, (f"{len(model.marks)} marked", Tone.ACCENT)]
    return content(pieces)
