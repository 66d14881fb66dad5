"""What made the best host the best: by how much it is ahead of the next, and which part of the cost decides."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.codes import DecidedBy
from core.costs import Cost
from core.placement.engine.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Decision:
    """The best host against the next one: `margin` is how much cheaper it is after placing, 0 in a tie.

    Where the cost decides, `part` is the term (or `offset`) in which the best host gains most.
    """

    best: str
    next_best: str
    decided_by: DecidedBy
    margin: float = 0.0
    part: str | None = None


def decide(verdicts: Sequence[Verdict]) -> Decision | None:
    """Compare the first two of the verdicts in order; None where fewer than two hosts can take the VM."""
    candidates = [verdict for verdict in verdicts[:2] if verdict.feasible]
    if len(candidates) < 2:
        return None
    best, other = candidates
    if best.cost is None or other.cost is None or best.use is None or other.use is None:
        return None
    if best.cost.total != other.cost.total:
        margin = other.cost.total - best.cost.total
        return Decision(best.host, other.host, DecidedBy.COST, margin, _largest_gain(best.cost, other.cost))
    if best.rise != other.rise:
        return Decision(best.host, other.host, DecidedBy.RISE)
    decided_by = DecidedBy.VMS if best.use.vms != other.use.vms else DecidedBy.NAME
    return Decision(best.host, other.host, decided_by)


@dataclass(frozen=True, slots=True)
class Part:
    """What a term, after its function's scale, or the offset adds to the cost of each of two hosts.

    None where a host's cost function has no such term.
    """

    name: str
    best: float | None
    other: float | None

    @property
    def gain(self) -> float:
        """By how much the best host is cheaper in this part; negative where it is dearer."""
        return (self.other or 0.0) - (self.best or 0.0)


def compare_parts(best: Cost, other: Cost) -> tuple[Part, ...]:
    """Split two costs into their parts, in the order in which they are added; absent terms are nothing."""
    ours, theirs = _parts(best), _parts(other)
    names = [name for name in {**ours, **theirs} if name != "offset"]
    return tuple(Part(name, ours.get(name), theirs.get(name)) for name in (*names, "offset"))


def _largest_gain(best: Cost, other: Cost) -> str:
    ours, theirs = _parts(best), _parts(other)
    return max({**ours, **theirs}, key=lambda part: theirs.get(part, 0.0) - ours.get(part, 0.0))


def _parts(cost: Cost) -> dict[str, float]:
    """Split a cost into what each term and the offset add to it."""
    return {term.attribute: term.cost * cost.scale for term in cost.terms} | {"offset": cost.offset}
