"""Plans as sheets: what is said above the table, its rows, and what there is to know about each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from core.placement.engine.request import Request
from core.placement.plans.demand import Stuck
from core.placement.plans.drain import Move
from core.units import show_age
from tui.render.cells import Piece, Tone
from tui.render.costs.headroom import in_words
from tui.render.rows import Row, RowKey
from tui.render.wrapping import wrapped

LIVE_SECONDS = 10.0
"""Figures younger than this are called new: an age that always grows would only make the screen busy."""


class PlanKind(StrEnum):
    """The plans that there are."""

    CAPACITY = "capacity"
    MIX = "mix"
    FAILURE = "failure"
    DRAIN = "drain"
    REBALANCE = "rebalance"
    ROOM = "room"

    @property
    def moves(self) -> bool:
        """Whether it is a plan of moves, which can be carried out."""
        return self in (PlanKind.DRAIN, PlanKind.REBALANCE, PlanKind.ROOM)


@dataclass(frozen=True, slots=True)
class Detail:
    """All about one row: a title, and paragraphs that are broken to the width that there is."""

    title: tuple[Piece, ...]
    paragraphs: tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """A plan as it is shown. `said` are the sentences above its table, `empty` that in place of rows.

    `moves` are what would be carried out, `staying` the active VMs that stay, `gain` what the moves are good for.
    """

    heading: str
    said: tuple[Piece, ...]
    rows: tuple[Row, ...] = ()
    details: Mapping[RowKey, Detail] = field(default_factory=dict)
    empty: str = ""
    moves: tuple[Move, ...] = ()
    staying: tuple[Stuck, ...] = ()
    gain: str = ""
    request: Request | None = None
    """The VM that the moves make room for; None for other plans."""
    progress: float | None = None
    """How far it is, of a plan that is carried out."""


def drawing_of(paragraphs: Sequence[Piece]) -> Callable[[int, int], Sequence[tuple[Piece, ...]]]:
    """Return what breaks paragraphs to a width and a height; the last line shows where there is more."""

    def draw(width: int, height: int) -> list[tuple[Piece, ...]]:
        lines: list[tuple[Piece, ...]] = []
        for position, (text, tone) in enumerate(paragraphs):
            room = height - len(lines) - (len(paragraphs) - position - 1)
            lines += [((line, tone),) for line in wrapped(text, width, max(1, room))]
        return lines[:height]

    return draw


def asked_for(request: Request) -> str:
    """Describe a request, and the realm where only one will do."""
    return in_words(request) + (f", realm {request.realm}" if request.realm is not None else "")


def more_vms(count: int | None, request: Request) -> str:
    """Write a number of further VMs of a request; None: there is no limit."""
    words = "Any number of VMs" if count is None else f"{count} more {'VM' if count == 1 else 'VMs'}"
    return f"{words} of {asked_for(request)}"


def age_note(age: float, *, working: bool, saved: bool) -> str:
    """Return how old a plan's figures are, and whether newer ones are on their way."""
    if saved:
        told = "a saved fleet"
    elif age < LIVE_SECONDS:
        told = "current"
    else:
        told = f"{show_age(age)} old"
    return f"{told}, updating" if working else told


def said(*sentences: str, tone: Tone = Tone.PLAIN) -> tuple[Piece, ...]:
    """Make the sentences above a table: the first stands out, the others explain it."""
    told = [sentence for sentence in sentences if sentence]
    return tuple(
        (text[0].upper() + text[1:], Tone.MUTED) if position else (text, tone or Tone.STRONG)
        for position, text in enumerate(told)
    )
