"""Cells of a table: text in pieces with a tone, and meters; measured and laid out in terminal columns.

Whatever a cell holds may come from outside: it is made printable here, on its way to the screen, and never read as
markup.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from rich.cells import cell_len, set_cell_size

from core.text import printable

ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
METER_WIDTH = 10
"""Columns that a meter's bar takes where there is room."""
LEAST_METER = 4
"""A bar of fewer columns says nothing and is left out."""


class Tone(StrEnum):
    """What a piece of text means; themes give it a colour. The words beside it say the same without colour."""

    PLAIN = ""
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    DIM = "dim"
    """Old, off, or beside the point."""
    MUTED = "muted"
    STRONG = "strong"
    ACCENT = "accent"
    BAR = "bar"
    TRACK = "track"


Piece = tuple[str, Tone]


@dataclass(frozen=True, slots=True)
class Meter:
    """A bar with its numbers beside it; the bar takes what room the numbers leave.

    `fraction` above 1 fills the bar; None draws no bar. `lead` stands before the bar, whatever the room.
    """

    fraction: float | None
    text: str
    tone: Tone = Tone.BAR
    lead: tuple[Piece, ...] = ()


Cell = str | tuple[Piece, ...] | Meter


def plain(cell: Cell) -> str:
    """Return a cell's text as it is searched: raw, without bars."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Meter):
        return " ".join(filter(None, ["".join(text for text, _ in cell.lead), cell.text]))
    return "".join(text for text, _ in cell)


def width_of(text: str) -> int:
    """Columns that a text takes on a terminal, once made printable."""
    return len(text) if text.isascii() and text.isprintable() else cell_len(printable(text))


def natural_width(cell: Cell) -> int:
    """Columns that a cell would like to have."""
    if isinstance(cell, str):
        return width_of(cell)
    if isinstance(cell, Meter):
        lead = sum(width_of(text) for text, _ in cell.lead) + 1 if cell.lead else 0
        return lead + width_of(cell.text) + (METER_WIDTH + 1 if cell.fraction is not None else 0)
    return sum(width_of(text) for text, _ in cell)


def cut(text: str, width: int) -> str:
    """Make a text printable and at most `width` columns wide, an ellipsis at its end where it was cut."""
    shown = printable(text)
    if width_of(shown) <= width:
        return shown
    if width <= 0:
        return ""
    return set_cell_size(shown, width - 1).rstrip() + ELLIPSIS


def lay_out(cell: Cell, width: int, *, right: bool = False) -> list[Piece]:
    """Return pieces of exactly `width` columns together: cut with an ellipsis, or padded on the side named."""
    if isinstance(cell, Meter):
        return _lay_out_meter(cell, width)
    pieces: list[Piece] = []
    room = width
    for text, tone in ((cell, Tone.PLAIN),) if isinstance(cell, str) else cell:
        shown = printable(text)
        taken = width_of(shown)
        if taken > room:
            pieces.append((shortened := cut(shown, room), tone))
            room -= width_of(shortened)
            break
        pieces.append((shown, tone))
        room -= taken
    if room > 0:
        pieces.insert(0 if right else len(pieces), (" " * room, Tone.PLAIN))
    return pieces


def _lay_out_meter(meter: Meter, width: int) -> list[Piece]:
    """Cut the numbers only where not even they fit."""
    if meter.lead:
        lead = min(width, sum(width_of(text) for text, _ in meter.lead) + 1)
        return [*lay_out(meter.lead, lead), *_lay_out_meter(replace(meter, lead=()), width - lead)]
    taken = width_of(meter.text)
    bar = width - taken - 1
    if meter.fraction is None or bar < LEAST_METER:
        return lay_out(meter.text, width, right=True)
    numbers = meter.tone if meter.tone in (Tone.WARN, Tone.BAD) else Tone.PLAIN
    return [*bar_pieces(meter.fraction, bar, meter.tone), (" " + printable(meter.text), numbers)]


def bar_pieces(fraction: float, width: int, tone: Tone) -> list[Piece]:
    """Draw a bar of exactly `width` columns, filled in halves; its rest is a thinner line: it reads without colour."""
    if width <= 0:
        return []
    halves = 2 * width if fraction >= 1 else max(0, int(fraction * 2 * width + 0.5))
    if fraction > 0 and halves == 0:
        halves = 1
    if fraction < 1 and halves == 2 * width:
        halves -= 1
    full, half = divmod(halves, 2)
    filled = "\u2501" * full + ("\u2578" if half else "")
    rest = "\u2500" * (width - full - half)
    pieces = [(filled, tone)] if filled else []
    return [*pieces, (rest, Tone.TRACK)] if rest else pieces
