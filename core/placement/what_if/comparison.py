"""Two rankings of the same request side by side: which hosts change their rank, their cost, or their mind."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.placement.engine.verdicts import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class HostCompared:
    """What is said of one host, before and after.

    Ranks count from 1; None where the host can't take the VM. A verdict is None where the host is not there.
    """

    host: str
    before: Verdict | None
    after: Verdict | None
    rank_before: int | None
    rank_after: int | None

    @property
    def differs(self) -> bool:
        """Whether its rank, its cost or the reason against it is another."""
        return self.rank_before != self.rank_after or _said(self.before) != _said(self.after)


def compare_rankings(before: Sequence[Verdict], after: Sequence[Verdict]) -> tuple[HostCompared, ...]:
    """Compare two rankings host by host: in the order of the second, then the hosts that only the first has."""
    were = {verdict.host: (index, verdict) for index, verdict in enumerate(before, 1)}
    are = {verdict.host: (index, verdict) for index, verdict in enumerate(after, 1)}
    hosts = [*are, *(host for host in were if host not in are)]
    return tuple(
        HostCompared(
            host=host,
            before=were[host][1] if host in were else None,
            after=are[host][1] if host in are else None,
            rank_before=_rank(were.get(host)),
            rank_after=_rank(are.get(host)),
        )
        for host in hosts
    )


def _rank(found: tuple[int, Verdict] | None) -> int | None:
    return found[0] if found is not None and found[1].feasible else None


def _said(verdict: Verdict | None) -> tuple[object, ...]:
    if verdict is None:
        return ()
    if verdict.feasible and verdict.cost is not None:
        return (verdict.cost.total,)
    return tuple((reason.why, reason.message) for reason in verdict.reasons)
