"""The plan that empties a host: where each of its VMs would go, and which can't (specification, section 11)."""

from dataclasses import dataclass

from core.codes import Stays
from core.config.model import Configuration
from core.errors import UsageError
from core.fleet.fleet import VM, Fleet
from core.hardware import PciAddress
from core.placement.engine.ledger import HostQueue, Ledger
from core.placement.engine.request import Request
from core.placement.plans.demand import DEFAULT_POLICY, Movables, MovePolicy, Stuck, largest_first, no_place, request_of

_UNSEEN = (Stays.NOT_CONNECTED, Stays.STALE, Stays.HOST_DISABLED)
"""Hosts that nobody looks at: what was last seen there may be true no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One step of a plan: a VM from its host to another, which then costs `cost` and gives it `devices`."""

    vm: VM
    target: str
    cost: float
    devices: tuple[PciAddress, ...]
    request: Request

    @property
    def source(self) -> str:
        """Name of the host that it leaves."""
        return self.vm.host

    @property
    def offline(self) -> bool:
        """Whether it must be shut down on the way, because it holds PCI devices."""
        return bool(self.vm.devices)


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainPlan:
    """Moves in their order, each feasible after those before it; `stuck` are the active VMs that would stay.

    `left` are those that are off: they use nothing, and stay defined on the host. `pending` names VMs that are being
    started on the host or moved to it while the plan is made. `unseen` says why nobody knows what runs there now;
    empty where that is known.
    """

    host: str
    moves: tuple[Move, ...]
    stuck: tuple[Stuck, ...]
    left: tuple[Stuck, ...] = ()
    pending: tuple[str, ...] = ()
    unseen: str = ""

    @property
    def complete(self) -> bool:
        """Whether no active VM would stay, for all that is known."""
        return not self.stuck and not self.unseen


def drain(
    configuration: Configuration,
    fleet: Fleet,
    host: str,
    policy: MovePolicy = DEFAULT_POLICY,
    *,
    ledger: Ledger | None = None,
) -> DrainPlan:
    """Plan to empty a host, the largest VM first, each by the rule of placement within its realm.

    A ledger of the same fleet may be handed in; it is given back as it was. Raises UsageError for an unknown host.
    """
    ledger = Ledger(configuration, fleet) if ledger is None else ledger
    if host not in ledger.index:
        raise UsageError(f"there is no host {host}", hint="realms hosts list")
    source = ledger.index[host]
    snapshot = ledger.hosts[source].snapshot
    movables = Movables(ledger, policy)
    uuids = {vm.uuid for vm in snapshot.vms}
    pending = tuple(each.vm for each in snapshot.pending_reservations() if each.uuid not in uuids)
    moves: list[Move] = []
    stuck: list[Stuck] = []
    left: list[Stuck] = []
    at_all = movables.host_stuck(snapshot)
    queue: HostQueue | None = None
    for vm in sorted(snapshot.vms, key=largest_first):
        if (reason := at_all if at_all is not None and vm.active else movables.stuck(snapshot, vm)) is not None:
            (left if reason[0] is Stays.INACTIVE else stuck).append(Stuck(vm, *reason))
            continue
        request = request_of(ledger.hosts[source].profile, vm, snapshot.host.realm)
        if queue is None or queue.request != request:
            queue = HostQueue(ledger, request, source)
        best = queue.best()
        if best is None:
            stuck.append(Stuck(vm, *no_place(ledger, request, (source,))))
            continue
        devices = queue.take()
        moves.append(Move(vm=vm, target=ledger.hosts[best[3]].name, cost=best[0], devices=devices, request=request))
    for move in reversed(moves):
        ledger.undo(ledger.index[move.target])
    return DrainPlan(
        host=host, moves=tuple(moves), stuck=tuple(stuck), left=tuple(left), pending=pending,
        unseen=at_all[1] if at_all is not None and at_all[0] in _UNSEEN else "",
    )  # fmt: skip
