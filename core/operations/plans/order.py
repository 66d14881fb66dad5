"""What plan of moves is to be carried out, and on what terms: enough to plan it anew, and to write it down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.config.model import Configuration
from core.errors import UsageError
from core.fleet.fleet import Fleet
from core.placement.engine.request import Request
from core.placement.engine.rows import request_row
from core.placement.plans.demand import DEFAULT_POLICY, MovePolicy, Stuck
from core.placement.plans.drain import DrainPlan, Move, drain
from core.placement.plans.make_room import DEFAULT_MOST_MOVES, RoomPlan, make_room
from core.placement.plans.rebalance import RebalancePlan, rebalance
from core.units import show_size

DEFAULT_PARALLEL = 2
"""Moves that a host takes part in at once, as source or target by default."""

MOST_PARALLEL = 16
"""Most moves that a host may be asked to take part in at once."""

MOST_BANDWIDTH = 1_000_000
"""MiB/s that a live migration may be limited to."""


MovesPlan = DrainPlan | RebalancePlan | RoomPlan
"""A plan whose answer is moves in their order."""


class MovesKind(StrEnum):
    """Which plan is carried out."""

    DRAIN = "drain"
    REBALANCE = "rebalance"
    ROOM = "room"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOrder:
    """A plan to carry out: of what kind, which VMs it may touch, and how many moves a host takes part in at once.

    `host` is the one that is emptied by a drain, else empty. VMs that hold PCI devices are shut down, moved and started
    again where the policy has them move. Raises UsageError for what makes no sense.
    """

    kind: MovesKind
    host: str = ""
    policy: MovePolicy = DEFAULT_POLICY
    """Which VMs may be moved."""
    parallel: int = DEFAULT_PARALLEL
    most: int | None = None
    """Most moves of a rebalance or for room; None: as many as help, or as are looked for."""
    bandwidth: int = 0
    """MiB/s that each live migration may send; 0: no limit."""
    request: Request | None = None
    """The VM that room is made for, else None."""

    def __post_init__(self) -> None:
        if (self.kind is MovesKind.DRAIN) != bool(self.host):
            raise UsageError(f"a {self.kind.value} has {'a' if self.kind is MovesKind.DRAIN else 'no'} host")
        if (self.kind is MovesKind.ROOM) != (self.request is not None):
            raise UsageError(f"a {self.kind.value} has {'a' if self.kind is MovesKind.ROOM else 'no'} request")
        if not 1 <= self.parallel <= MOST_PARALLEL:
            raise UsageError(f"--parallel must be 1 to {MOST_PARALLEL}, not {self.parallel}")
        if self.most is not None and self.most < 0:
            raise UsageError(f"--most must be 0 or more, not {self.most}")
        if not 0 <= self.bandwidth <= MOST_BANDWIDTH:
            raise UsageError(f"--bandwidth must be 0 to {MOST_BANDWIDTH} MiB/s, not {self.bandwidth}")

    @property
    def what(self) -> str:
        """The plan in a few words: `drain h1`, `rebalance`, `make room for 4 vCPUs, 8 GiB`."""
        if self.request is not None:
            devices = [f"{count} {kind}" for kind, count in self.request.devices.items()]
            vcpus = "1 vCPU" if self.request.vcpus == 1 else f"{self.request.vcpus} vCPUs"
            return f"make room for {', '.join([vcpus, show_size(self.request.memory_bytes), *devices])}"
        return f"{self.kind.value} {self.host}".rstrip()

    @property
    def goal(self) -> tuple[MovesKind, str, Request | None]:
        """What it is to bring about, however it does so: two orders of one goal are the same plan."""
        return self.kind, self.host, self.request

    def plan(self, configuration: Configuration, fleet: Fleet) -> MovesPlan:
        """Plan it on a fleet; raises UsageError where its host isn't there any more."""
        if self.request is not None:
            most = DEFAULT_MOST_MOVES if self.most is None else self.most
            return make_room(configuration, fleet, self.request, self.policy, most_moves=most)
        if self.kind is MovesKind.DRAIN:
            return drain(configuration, fleet, self.host, self.policy)
        return rebalance(configuration, fleet, self.policy, most=self.most)

    def moves(self, configuration: Configuration, fleet: Fleet) -> Sequence[Move]:
        """Plan its moves on a fleet; raises as `plan` does."""
        return self.plan(configuration, fleet).moves

    def staying(self, configuration: Configuration, fleet: Fleet) -> Sequence[Stuck]:
        """Return the VMs that it can't move on a fleet, as far as it looks at them; raises as `plan` does."""
        match self.plan(configuration, fleet):
            case DrainPlan(stuck=staying) | RebalancePlan(held=staying):
                return staying
            case RoomPlan():
                return ()

    def facts(self) -> dict[str, Any]:
        """Return it as it is written down; `of_facts` reads it."""
        return {
            "kind": self.kind.value,
            "host": self.host,
            "foreign": self.policy.foreign,
            "offline": self.policy.with_devices,  # as earlier versions wrote it, whose plans can still be resumed
            "parallel": self.parallel,
            "most": self.most,
            "bandwidth": self.bandwidth,
            "request": None if self.request is None else request_row(self.request, 1),
        }

    @classmethod
    def of_facts(cls, facts: Mapping[str, Any]) -> PlanOrder:
        """Read what `facts` wrote; raises UsageError for anything else."""
        try:
            return cls._of_facts(facts)
        except (KeyError, ValueError, TypeError, AttributeError, OverflowError) as error:
            raise UsageError(f"the plan is invalid: {error!r}") from error

    @classmethod
    def _of_facts(cls, facts: Mapping[str, Any]) -> PlanOrder:
        most = facts["most"]
        return cls(
            kind=MovesKind(facts["kind"]),
            host=str(facts["host"]),
            policy=MovePolicy(foreign=bool(facts["foreign"]), with_devices=bool(facts["offline"])),
            parallel=int(facts["parallel"]),
            most=None if most is None else int(most),
            bandwidth=int(facts["bandwidth"]),
            request=None if (row := facts.get("request")) is None else _request(row),
        )


def _request(row: Mapping[str, Any]) -> Request:
    devices = {str(kind): int(count) for kind, count in row["devices"].items()}
    realm = None if row["realm"] is None else str(row["realm"])
    return Request(int(row["vcpus"]), int(row["memory"]), devices, realm, bool(row["needs_drives_pool"]))
