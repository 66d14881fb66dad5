"""How the tables of the cost explorer and the chosen host share the lines of the screen."""

from dataclasses import dataclass

_AROUND = 2
"""Lines above and below every area."""

_LEAST_CLOSE_UP = 13
_LEAST_CLOSE_UP_SHORT = 8
"""Lines that the chosen host has at least; fewer show no curve."""
_LEAST_EDITOR_SHORT = 11
"""Lines that the editor of a what-if has at least: a few parameters, and the line to type in."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of the two tables, frames included (`refused` 0: not shown), and the most that all above have."""

    ranking: int
    refused: int
    most: int


def share_lines(height: int, *, above: int, ranked: int, refused: int, short: bool, editing: bool = False) -> Lines:
    """Return the tables what their rows need, as far as the chosen host keeps its part: two fifths, or a least.

    `above` is taken by the request and the sentences; on a `short` screen frames are thinner. Where both tables are
    too long, the refused get two fifths of what there is. The editor of a what-if takes a little more.
    """
    frame = 2 if short else 3
    least_short = _LEAST_EDITOR_SHORT if editing else _LEAST_CLOSE_UP_SHORT
    most = height - _AROUND - (least_short if short else max(_LEAST_CLOSE_UP, height * 2 // 5))
    room = most - above
    wanted_ranking = (ranked or 2) + frame  # a table without rows says so in its second line
    wanted_refused = refused + frame if refused else 0
    least_refused = min(wanted_refused, max(frame + 1, room * 2 // 5))
    ranking = max(frame + 1, min(wanted_ranking, room - least_refused))
    return Lines(ranking, max(least_refused, min(wanted_refused, room - ranking)), most)
