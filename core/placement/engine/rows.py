"""Requests, verdicts and placements as JSON: what `place` prints and the scheduling log keeps.

Infinity and what is unknown are None, with a state beside them.
"""

from typing import Any

from core.costs import CostState, Term
from core.curves import INFINITY, curve_name
from core.fleet.fleet import VM
from core.placement.engine.decision import Decision
from core.placement.engine.remedies import Remedy
from core.placement.engine.request import Request
from core.placement.engine.verdicts import Placement, Placements, Refusal, Verdict


def term_row(term: Term) -> dict[str, Any]:
    """Return one summand of a cost, before the function's scale; `curve` None where the function has none."""
    return {
        "attribute": term.attribute,
        "input": term.input,
        "cost": term.cost if term.feasible else None,
        "feasible": term.feasible,
        "curve": curve_name(term.curve) if term.curve is not None else None,
    }


def refusal_row(refusal: Refusal) -> dict[str, Any]:
    """Return one reason against a host."""
    return {
        "why": refusal.why.value,
        "message": refusal.message,
        "term": refusal.term,
        "needed": refusal.needed,
        "available": refusal.available,
    }


def verdict_row(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict. A refused host has no cost: its `cost_state` is infinite where its cost function says so."""
    cost = verdict.cost.total if verdict.feasible and verdict.cost is not None else None
    state = verdict.cost_state if cost is not None or verdict.cost_state is CostState.INFINITE else CostState.UNKNOWN
    before = verdict.before.total if verdict.before is not None and verdict.before.feasible else None
    return {
        "host": verdict.host,
        "realm": verdict.realm,
        "feasible": verdict.feasible,
        "cost": cost,
        "cost_state": state.value,
        "before": before,
        "before_state": verdict.before_state.value,
        "scale": verdict.scale,
        "offset": verdict.offset,
        "terms": [term_row(term) for term in verdict.terms],
        "devices": [str(address) for address in verdict.devices],
        "refusal": refusal_row(verdict.refusal) if verdict.refusal is not None else None,
        "also": [refusal_row(refusal) for refusal in verdict.also],
    }


def request_row(request: Request, count: int) -> dict[str, Any]:
    """Return a request for a number of equal VMs."""
    return {
        "vcpus": request.vcpus,
        "memory": request.memory_bytes,
        "devices": dict(request.devices),
        "realm": request.realm,
        "needs_drives_pool": request.needs_drives_pool,
        "count": count,
    }


def placement_row(placement: Placement) -> dict[str, Any]:
    """Return the place of one VM; `cost` None where a host took it although its cost is infinite."""
    return {
        "vm": placement.vm,
        "host": placement.host,
        "realm": placement.realm,
        "cost": placement.cost if placement.cost != INFINITY else None,
        "devices": [str(address) for address in placement.devices],
    }


def decision_row(decision: Decision) -> dict[str, Any]:
    """Return what told the best host from the next; `margin` is by how much it is cheaper, 0 in a tie."""
    return {
        "best": decision.best,
        "next_best": decision.next_best,
        "decided_by": decision.decided_by.value,
        "margin": decision.margin,
        "part": decision.part,
    }


def remedy_row(remedy: Remedy) -> dict[str, Any]:
    """Return what would make a refused host take the VM.

    `fits_then` is None where nobody knows; `free`, `ask` and `move` are None where that way doesn't exist.
    """
    ask = remedy.ask
    return {
        "host": remedy.host,
        "first": [refusal_row(refusal) for refusal in remedy.first],
        "fits_then": remedy.fits_then,
        "free": None if remedy.free is None else dict(remedy.free),
        "ask": None if ask is None else {"vcpus": ask.vcpus, "memory": ask.memory_bytes, "devices": dict(ask.devices)},
        "move": None if remedy.move is None else _moved(remedy.move),
    }


def _moved(vm: VM) -> dict[str, Any]:
    return {
        "vm": vm.name,
        "uuid": vm.uuid,
        "vcpus": vm.vcpus,
        "memory": vm.memory_bytes,
        "devices": [str(address) for address in vm.devices],
        "managed": vm.managed,
    }


def placements_document(placements: Placements) -> dict[str, Any]:
    """Return a whole decision: the request, where each VM goes, and the verdicts for the first."""
    return {
        "request": request_row(placements.request, placements.count),
        "placed": placements.placed,
        "placements": [placement_row(placement) for placement in placements.placements],
        "verdicts": [verdict_row(verdict) for verdict in placements.verdicts],
    }
