"""What placement says of each host, and what it decided (specification, section 8)."""

import uuid
from dataclasses import dataclass, field

from core.codes import Why
from core.costs import Cost, CostState, Term, Use
from core.fleet.fleet import VM, VMState
from core.hardware import PciAddress
from core.placement.engine.request import Request

_PLACED = uuid.UUID("6d0e8f52-9a0b-5c3e-8a57-3a4f1f0c2f11")
"""Namespace of the UUIDs of VMs that exist only in a plan."""

TOTAL = "total"
"""The term named where every summand is finite and only their sum overflows."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason against a host, with the numbers that decided it; prints itself for an operator.

    `needed` and `available` are devices asked for and free, or a term's input after placing and the largest finite one
    (None where there is no single limit). Reasons by state have no numbers.
    """

    why: Why
    message: str
    term: str | None = None
    needed: int | None = None
    available: int | None = None
    detail: str = field(default="", compare=False)
    """The message without the term and that it is infinite, for where that is said already; else empty."""

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What placement says of one host: a cost with its terms, or a refusal with every further reason.

    `before` is the cost of the host as it is and `cost` that with the VM on it, also where the host is refused; both
    are None where nobody knows the host's use. `scale` and `offset` are None where no cost function is known.
    """

    host: str
    realm: str
    use: Use | None
    """Use before placing."""
    before: Cost | None
    cost: Cost | None
    scale: float | None
    offset: float | None
    refusal: Refusal | None = None
    also: tuple[Refusal, ...] = ()
    devices: tuple[PciAddress, ...] = ()
    """Addresses that the VM would be given; none where the host is refused."""

    @property
    def feasible(self) -> bool:
        """Whether the host can take the VM."""
        return self.refusal is None

    @property
    def terms(self) -> tuple[Term, ...]:
        """Terms of the cost after placing, before the function's scale; none where the use is unknown."""
        return () if self.cost is None else self.cost.terms

    @property
    def cost_state(self) -> CostState:
        """What is known of the cost after placing."""
        return CostState.UNKNOWN if self.cost is None else self.cost.state

    @property
    def before_state(self) -> CostState:
        """What is known of the cost before placing."""
        return CostState.UNKNOWN if self.before is None else self.before.state

    @property
    def rise(self) -> float | None:
        """How much placing adds to the host's cost; None where the use is unknown or the cost infinite."""
        if self.cost is None or self.before is None or not self.cost.feasible or not self.before.feasible:
            return None
        return self.cost.total - self.before.total

    @property
    def reasons(self) -> tuple[Refusal, ...]:
        """Every reason against the host, the deciding one first."""
        return () if self.refusal is None else (self.refusal, *self.also)


@dataclass(frozen=True, slots=True)
class Placement:
    """A place for the `vm`-th VM of a request; `cost` is that of the host afterwards."""

    vm: int
    host: str
    realm: str
    cost: float
    devices: tuple[PciAddress, ...]
    request: Request

    def as_vm(self) -> VM:
        """Return the VM as the host would show it: running, under a name and a UUID made from the placement."""
        name = f"placed-{self.vm}"
        return VM(
            name=name,
            uuid=str(uuid.uuid5(_PLACED, f"{self.host}/{name}")),
            host=self.host,
            realm=self.realm,
            state=VMState.RUNNING,
            active=True,
            vcpus=self.request.vcpus,
            memory_bytes=self.request.memory_bytes,
            devices=self.devices,
            managed=True,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Placements:
    """Where each of `count` equal VMs goes, one after another, each counting as use for those that follow.

    `verdicts` are those for the first VM; `stopped_by` those for the first that found no host, none where all did.
    """

    request: Request
    count: int
    placements: tuple[Placement, ...]
    verdicts: tuple[Verdict, ...]
    stopped_by: tuple[Verdict, ...] = ()

    @property
    def placed(self) -> int:
        """Number of VMs that found a host."""
        return len(self.placements)

    @property
    def complete(self) -> bool:
        """Whether all of them did."""
        return self.placed == self.count
