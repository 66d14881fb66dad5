"""A what-if in words: what is changed, what differs by it, and that nothing real is touched."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.placement.engine.verdicts import Verdict
from core.placement.what_if.comparison import HostCompared
from core.text import plural
from tui.render.cells import Cell, Piece, Tone
from tui.render.costs.exploration import Exploration
from tui.render.costs.headroom import MOST
from tui.render.figures import cost_text, decimals

UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Counted:
    """What takes longer to count than a ranking: how many VMs fit, and which hosts can't be lost."""

    fits: Mapping[str, int] = field(default_factory=dict)
    """By host; as many as `MOST` where nothing limits them, or where more doesn't matter."""
    losses: int | None = None
    """Hosts that can't be lost; None where that was not worked out."""

    @property
    def total(self) -> int:
        """VMs that fit on all hosts together."""
        return sum(self.fits.values())

    @property
    def is_rough(self) -> bool:
        """Whether some host takes more than anybody counts."""
        return any(number >= MOST for number in self.fits.values())


def banner(
    changes: int, before: Counted | None, after: Counted | None, trouble: str = "", *, short: bool = False
) -> tuple[Piece, ...]:
    """Say that one is in a what-if, that nothing real is touched, and what it makes of capacity and failure.

    A short one leaves the failure out.
    """
    pieces: list[Piece] = [(" WHAT IF ", Tone.STRONG), (f" {plural(changes, 'change')}, simulation only", Tone.STRONG)]
    if trouble:
        return (*pieces, (f" \N{MIDDLE DOT} {trouble}", Tone.BAD))
    if before is not None and after is not None:
        pieces.append((" \N{MIDDLE DOT} ", Tone.PLAIN))
        pieces += _step("fit", _number(before), _number(after))
        if before.losses is not None and after.losses is not None and not short:
            pieces.append((" \N{MIDDLE DOT} ", Tone.PLAIN))
            pieces += _step("can't be lost", _hosts(before.losses), _hosts(after.losses))
    return tuple(pieces)


def _step(words: str, before: str, after: str) -> list[Piece]:
    if before == after:
        return [(f"{after} {words}, {UNCHANGED}", Tone.PLAIN)]
    return [(f"{before} \N{RIGHTWARDS ARROW} ", Tone.PLAIN), (after, Tone.STRONG), (f" {words}", Tone.PLAIN)]


def _number(counted: Counted) -> str:
    return f"{counted.total}{'+' * counted.is_rough}"


def _hosts(count: int) -> str:
    return "no host" if count == 0 else plural(count, "host")


def before_sentence(exploration: Exploration) -> str:
    """Return what the answer is without the changes, and how many hosts differ; empty outside of a what-if."""
    before = exploration.before
    if before is None:
        return ""
    differing = sum(host.differs for host in exploration.compared.values())
    if not differing:
        return "The changes do not affect the ranking"
    able, hosts = len(before.ranked), len(before.placements.verdicts)
    told = f"Before: {able} of {hosts}"
    if before.ranked and before.ranked[0].cost is not None:
        told += f", best {before.ranked[0].host} at {cost_text(before.ranked[0].cost.total)}"
    return f"{told}. {plural(differing, 'host')} {'differs' if differing == 1 else 'differ'}"


def was(compared: HostCompared | None, digits: int) -> tuple[str, float | None]:
    """Say what a host's answer was without the changes: its rank and cost, or that it refused; and the cost to sort by.

    Empty where nothing differs.
    """
    if compared is None or not compared.differs:
        return "", None
    before = compared.before
    if before is None:
        return "absent", None
    if compared.rank_before is None or before.cost is None:
        return "refused", None
    return f"#{compared.rank_before} {cost_text(before.cost.total, digits)}", before.cost.total


def difference(compared: HostCompared | None, digits: int) -> Cell:
    """Return in a word what the changes do to a host that can take the VM."""
    if compared is None or not compared.differs:
        return (("same", Tone.DIM),)
    before, after = compared.before, compared.after
    if before is None or compared.rank_before is None:
        return (("now fits", Tone.ACCENT),)
    if after is None or before.cost is None or after.cost is None or compared.rank_after is None:
        return ""
    rise = after.cost.total - before.cost.total
    ranks = compared.rank_before - compared.rank_after
    parts = [cost_text(rise, digits, signed=True)] if rise else []
    if ranks:
        parts.append(f"{'up' if ranks > 0 else 'down'} {abs(ranks)}")
    return ((", ".join(parts), Tone.ACCENT),)


def digits_of(exploration: Exploration) -> int:
    """Decimals that tell the costs before and after apart."""
    verdicts = [each for host in exploration.compared.values() for each in (host.before, host.after)]
    return decimals([each.cost.total for each in verdicts if each is not None and each.cost is not None])


def fits_cell(before: int | None, after: int | None) -> tuple[str, bool]:
    """Write how many VMs a host takes, before and after where that differs, and whether it does."""
    if after is None:
        return "", False
    texts = [f"{MOST}+" if number >= MOST else f"{number}" for number in (before, after) if number is not None]
    if len(texts) == 2 and texts[0] != texts[1]:
        return f"{texts[0]} \N{RIGHTWARDS ARROW} {texts[1]}", True
    return texts[-1], False


def remark_before(compared: HostCompared | None) -> str:
    """Return of the chosen host how it stood without the changes; empty where that is the same."""
    if compared is None or not compared.differs or compared.before is None:
        return ""
    before: Verdict = compared.before
    if before.refusal is not None:
        return f"Without the changes: refused, {before.refusal.message}."
    if before.cost is None or compared.rank_before is None:
        return ""
    return f"Without the changes: #{compared.rank_before} at {cost_text(before.cost.total)}."
