"""Plans as JSON: what `realms plan` prints (cli.md).

Infinity and what is unknown are None, with a state beside them. Names and UUIDs are those of libvirt.
"""

from typing import Any

from core.codes import Stays
from core.costs import CostState
from core.curves import INFINITY
from core.fleet.fleet import VM
from core.placement.engine.rows import request_row
from core.placement.engine.verdicts import Refusal
from core.placement.plans.batch import BatchComparison, BatchPlan
from core.placement.plans.capacity import Capacity, HostCapacity
from core.placement.plans.demand import Stuck
from core.placement.plans.drain import DrainPlan, Move
from core.placement.plans.failure import FailureCheck, HostLoss, SeveralLost
from core.placement.plans.make_room import RoomPlan
from core.placement.plans.mix import MixCapacity
from core.placement.plans.rebalance import RebalancePlan


def capacity_document(capacity: Capacity) -> dict[str, Any]:
    """Return how many more VMs fit, per host and realm, and what stops the next one."""
    return {
        "request": request_row(capacity.request, 1),
        "total": capacity.total,
        "unbounded": capacity.unbounded,
        "realms": capacity.by_realm(),
        "hosts": [_host_capacity(host) for host in capacity.hosts],
    }


def _host_capacity(host: HostCapacity) -> dict[str, Any]:
    return {
        "host": host.host,
        "realm": host.realm,
        "fits": host.fits,
        "unbounded": host.fits is None,
        "stopped_by": _stopped_by(host.stopped_by),
        "left": dict(host.left),
    }


def _stopped_by(refusal: Refusal | None) -> dict[str, Any] | None:
    if refusal is None:
        return None
    return {"why": refusal.why.value, "message": refusal.message, "term": refusal.term}


def mix_document(mix: MixCapacity) -> dict[str, Any]:
    """Give how many whole mixes of sizes fit (`total`); a host's `fits` counts its VMs, `counts` those of each size."""
    one = sum(count for _, count in mix.mix)
    return {
        "mix": [request_row(request, count) for request, count in mix.mix],
        "total": mix.fits,
        "total_vms": None if mix.fits is None else mix.fits * one,
        "unbounded": mix.fits is None,
        "capped": mix.capped,
        "hosts": [
            {
                "host": host.host,
                "realm": host.realm,
                "fits": host.vms,
                "unbounded": False,
                "counts": list(host.counts),
                "stopped_by": _stopped_by(host.stopped_by),
                "left": dict(host.left),
            }
            for host in mix.hosts
        ],
        "stopped_by": None
        if mix.stopped_by is None
        else {"request": request_row(mix.stopped_by, 1), "why": mix.why, "message": mix.message},
    }


def move_row(move: Move) -> dict[str, Any]:
    """Return one move; `offline` where the VM has to be shut down on the way."""
    return {
        **_vm(move.vm),
        "from": move.source,
        "to": move.target,
        "cost": move.cost,
        "devices": [str(address) for address in move.devices],
        "offline": move.offline,
        "reason": None,
    }


def _vm(vm: VM) -> dict[str, Any]:
    return {"vm": vm.name, "uuid": vm.uuid}


def stuck_row(stuck: Stuck) -> dict[str, Any]:
    """Return a VM that can't move, and why."""
    return {**_vm(stuck.vm), "why": str(stuck.why), "message": stuck.message}


_MOVED_BY = {Stays.FOREIGN: "--foreign", Stays.HOLDS_DEVICES: "--with-devices"}
"""Options of `realms plan` with which VMs move that stay for these reasons."""


def _staying(stuck: Stuck) -> dict[str, Any]:
    """Return a VM that a plan leaves where it is: why, and the option that moves it, None where there is none."""
    option = next((option for why, option in _MOVED_BY.items() if why == stuck.why), None)
    return {**stuck_row(stuck), "option": option}


def moves_document(plan: DrainPlan | RebalancePlan | RoomPlan) -> dict[str, Any]:
    """Return a plan of moves, of whatever kind."""
    match plan:
        case DrainPlan():
            return drain_document(plan)
        case RebalancePlan():
            return rebalance_document(plan)
        case RoomPlan():
            return room_document(plan)


def drain_document(plan: DrainPlan) -> dict[str, Any]:
    """Return the plan that empties a host; `unseen` says why nobody knows what runs there."""
    return {
        "host": plan.host,
        "moves": [move_row(move) for move in plan.moves],
        "stuck": [_staying(stuck) for stuck in plan.stuck],
        "left": [stuck_row(left) for left in plan.left],
        "pending": list(plan.pending),
        "unseen": plan.unseen or None,
        "complete": plan.complete,
    }


def failure_document(check: FailureCheck) -> dict[str, Any]:
    """Return what the loss of each host would mean; `survives` None where that is unknown."""
    return {"survives": check.survives, "unknown": list(check.unknown), "hosts": [_loss(loss) for loss in check.hosts]}


def _loss(loss: HostLoss) -> dict[str, Any]:
    return {
        "host": loss.host,
        "survives": loss.survives,
        "survives_state": "unknown" if loss.survives is None else "known",
        "placed": loss.placed,
        "homeless": [stuck_row(stuck) for stuck in loss.homeless],
        "note": loss.note,
    }


def several_document(several: SeveralLost) -> dict[str, Any]:
    """Return whether the fleet survives the loss of several hosts at once, and whether that is proven."""
    return {
        "at_once": several.at_once,
        "survives": several.survives,
        "proven": several.proven,
        "tried": several.tried,
        "sets": several.sets,
        "worst": list(several.worst),
        "homeless": [stuck_row(stuck) for stuck in several.homeless],
    }


def rebalance_document(plan: RebalancePlan) -> dict[str, Any]:
    """Return the plan that evens out a fleet; `curve` has the costs before the first move and after each."""
    return {
        **_number("highest_before", plan.before.highest),
        **_number("highest_after", plan.after.highest),
        **_number("sum_before", plan.before.sum),
        **_number("sum_after", plan.after.sum),
        "moves": [move_row(move) for move in plan.moves],
        "held": [_staying(stuck) for stuck in plan.held],
        "stopped": plan.stopped,
        "curve": [{**_number("highest", level.highest), **_number("sum", level.sum)} for level in plan.levels],
    }


def batch_document(plan: BatchPlan) -> dict[str, Any]:
    """Return where the requests of a batch go; `vm` is the number of a request in the order of arrival."""
    return {
        "order": plan.order.value,
        "placed": plan.placed,
        "hosts_used": plan.hosts_used,
        **_number("highest", plan.highest),
        **_number("sum", plan.sum),
        "placements": [
            {
                "vm": placement.vm,
                "host": placement.host,
                "realm": placement.realm,
                "cost": placement.cost,
                "devices": [str(address) for address in placement.devices],
            }
            for placement in plan.placements
        ],
        "refused": [{"vm": each.number, "why": str(each.why), "message": each.message} for each in plan.refused],
    }


def comparison_document(comparison: BatchComparison) -> dict[str, Any]:
    """Return the same batch in both orders, and the difference."""
    return {
        "arrival": batch_document(comparison.arrival),
        "largest_first": batch_document(comparison.largest_first),
        "more_placed": comparison.more_placed,
        "moved": list(comparison.moved),
    }


def room_document(plan: RoomPlan) -> dict[str, Any]:
    """Return the moves that make room for a VM; `host` None where none were found."""
    found = plan.host is not None
    return {
        "request": request_row(plan.request, 1),
        "host": plan.host,
        "cost": plan.cost if found else None,
        "devices": [str(address) for address in plan.devices],
        "moves": [move_row(move) for move in plan.moves],
        "smallest": plan.smallest,
        "exhausted": plan.exhausted,
        "asked": plan.asked,
    }


def _number(name: str, value: float) -> dict[str, Any]:
    if value == INFINITY:
        return {name: None, f"{name}_state": CostState.INFINITE.value}
    return {name: value, f"{name}_state": CostState.FINITE.value}
