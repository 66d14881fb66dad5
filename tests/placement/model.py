"""Plans carried out on the model: the plain engine's view of a fleet after each step."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.placement.engine.engine import rank, with_vm, without_vm

if TYPE_CHECKING:
    from core.config.model import Configuration
    from core.fleet.fleet import VM, Fleet
    from core.placement.engine.request import Request
    from core.placement.engine.verdicts import Verdict
    from core.placement.plans.drain import Move


def moved(fleet: Fleet, move: Move) -> Fleet:
    """Return the fleet with a move carried out."""
    return with_vm(without_vm(fleet, move.vm.key), replace(move.vm, host=move.target, devices=move.devices))


def best_elsewhere(configuration: Configuration, fleet: Fleet, request: Request, source: str) -> Verdict | None:
    """Ask the plain engine for the best host apart from one."""
    able = [each for each in rank(configuration, fleet, request) if each.feasible and each.host != source]
    return able[0] if able else None


def vm_of(fleet: Fleet, uuid: str) -> VM:
    """Find a VM where it is now."""
    return next(vm for vm in fleet.vms() if vm.uuid == uuid)


def costs(configuration: Configuration, fleet: Fleet) -> dict[str, float]:
    """Work out each host's cost anew, where its use is known."""
    found = {}
    for snapshot in fleet.hosts:
        profile = configuration.hardware_profiles.get(snapshot.host.profile)
        if profile is not None:
            found[snapshot.name] = configuration.cost_function_of(profile).total(snapshot.use(profile))
    return found
