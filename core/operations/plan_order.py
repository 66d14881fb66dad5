"""What plan of moves is to be carried out, and on what terms: enough to plan it anew, and to write it down."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from core.errors import UsageError
from core.placement.demand import MovePolicy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.config.model import Configuration
    from core.fleet import Fleet
    from core.placement.drain import DrainPlan
    from core.placement.rebalance import RebalancePlan

DEFAULT_PARALLEL = 2
"""Moves that a host takes part in at once, as source or target, where nobody says otherwise."""

MOST_PARALLEL = 16
"""Most moves that a host may be asked to take part in at once."""


class PlanKind(StrEnum):
    """Which plan is carried out."""

    DRAIN = "drain"
    REBALANCE = "rebalance"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOrder:
    """A plan to carry out: of what kind, which VMs it may touch, and how many moves a host takes part in at once.

    `host` is the one that is emptied by a drain, else empty. VMs that hold PCI devices are shut down, moved and started
    again where they move `offline`; else they stay. Raises UsageError for what makes no sense.
    """

    kind: PlanKind
    host: str = ""
    foreign: bool = False
    offline: bool = False
    parallel: int = DEFAULT_PARALLEL
    most: int | None = None
    """Most moves of a rebalance; None: as many as help."""
    bandwidth: int = 0
    """MiB/s that each live migration may send; 0: no limit."""

    def __post_init__(self) -> None:
        if (self.kind is PlanKind.DRAIN) != bool(self.host):
            raise UsageError(f"a {self.kind.value} has {'a' if self.kind is PlanKind.DRAIN else 'no'} host")
        if not 1 <= self.parallel <= MOST_PARALLEL:
            raise UsageError(f"a host takes part in 1 to {MOST_PARALLEL} moves at once, not {self.parallel}")

    @property
    def what(self) -> str:
        """The plan in a word or two: `drain h1`, `rebalance`."""
        return f"{self.kind.value} {self.host}".rstrip()

    @property
    def policy(self) -> MovePolicy:
        """Which VMs may be moved."""
        return MovePolicy(foreign=self.foreign, with_devices=self.offline)

    def plan(self, configuration: Configuration, fleet: Fleet) -> DrainPlan | RebalancePlan:
        """Plan it on a fleet; raises UsageError where its host isn't there any more."""
        if self.kind is PlanKind.DRAIN:
            from core.placement.drain import drain

            return drain(configuration, fleet, self.host, self.policy)
        from core.placement.rebalance import rebalance

        return rebalance(configuration, fleet, self.policy, most=self.most)

    def facts(self) -> dict[str, Any]:
        """Give it as it is written down; `of_facts` reads it."""
        return {
            "kind": self.kind.value,
            "host": self.host,
            "foreign": self.foreign,
            "offline": self.offline,
            "parallel": self.parallel,
            "most": self.most,
            "bandwidth": self.bandwidth,
        }

    @classmethod
    def of_facts(cls, facts: Mapping[str, Any]) -> PlanOrder:
        """Read what `facts` wrote; raises KeyError, ValueError, TypeError, UsageError for anything else."""
        most = facts["most"]
        return cls(
            kind=PlanKind(facts["kind"]),
            host=str(facts["host"]),
            foreign=bool(facts["foreign"]),
            offline=bool(facts["offline"]),
            parallel=int(facts["parallel"]),
            most=None if most is None else int(most),
            bandwidth=int(facts["bandwidth"]),
        )
