"""Room for a VM by clearing one host: a set of moves found at once, where trying all sets would take too long."""

import heapq
from collections.abc import Callable

from core.fleet.fleet import VM
from core.hardware import PciAddress
from core.placement.engine.ledger import Ledger, Place
from core.placement.engine.request import Request, RequestKey
from core.placement.plans.drain import Move

Cleared = tuple[str, float, "tuple[PciAddress, ...]", tuple[Move, ...]]
"""Host, its cost with the VM, the VM's devices, and the moves that make room for it."""


def clear_one_host(
    ledger: Ledger, request: Request, movable: Callable[[int], list[tuple[VM, Request]]], most: int
) -> Cleared | None:
    """Find the host that takes the VM after the fewest of its VMs went where placement puts them, at most so many.

    `movable` gives a host's VMs that may move, the smallest first. The ledger is as before afterwards.
    """
    best: Cleared | None = None
    targets: dict[RequestKey, list[Place]] = {}
    for host in ledger.candidates(request):
        limit = most if best is None else len(best[3]) - 1
        leavers = [pair for pair in movable(host) if _has_target(ledger, pair[1], host, targets)]
        leaving = _leaving(ledger, host, request, leavers, limit)
        if leaving is not None and (found := _moved(ledger, host, request, leaving)) is not None:
            best = found
    return best


def _has_target(ledger: Ledger, request: Request, source: int, targets: dict[RequestKey, list[Place]]) -> bool:
    if request.key not in targets:
        targets[request.key] = heapq.nsmallest(2, ledger.places(request))
    return any(place[3] != source for place in targets[request.key])


def _leaving(
    ledger: Ledger, host: int, request: Request, vms: list[tuple[VM, Request]], most: int
) -> list[tuple[VM, Request]] | None:
    """Choose who leaves: the smallest VM that is enough; while none is, the largest."""
    left = list(vms)
    leaving: list[tuple[VM, Request]] = []
    while ledger.place(host, request) is None and left and len(leaving) < most:
        enough = next((pair for pair in left if _fits_without(ledger, host, request, pair[0])), left[-1])
        left.remove(enough)
        leaving.append(enough)
        ledger.remove(host, enough[0].vcpus, enough[0].memory_bytes, enough[0].devices)
    fits = ledger.place(host, request) is not None
    for _ in leaving:
        ledger.undo(host)
    return leaving if fits else None


def _fits_without(ledger: Ledger, host: int, request: Request, vm: VM) -> bool:
    ledger.remove(host, vm.vcpus, vm.memory_bytes, vm.devices)
    fits = ledger.place(host, request) is not None
    ledger.undo(host)
    return fits


def _moved(ledger: Ledger, host: int, request: Request, leaving: list[tuple[VM, Request]]) -> Cleared | None:
    """Place those who leave, the largest first, and then the VM."""
    done: list[int] = []
    moves: list[Move] = []
    found: Cleared | None = None
    for vm, its in sorted(leaving, key=lambda pair: (-pair[1].memory_bytes, -pair[1].vcpus, pair[0].name)):
        if (place := ledger.best(its, host)) is None:
            break
        devices = ledger.take(place[3], its, place[0])
        ledger.remove(host, vm.vcpus, vm.memory_bytes, vm.devices)
        done += [place[3], host]
        moves.append(Move(vm=vm, target=ledger.hosts[place[3]].name, cost=place[0], devices=devices, request=its))
    else:
        if (final := ledger.place(host, request)) is not None:
            devices = ledger.take(host, request, final[0])
            done.append(host)
            found = (ledger.hosts[host].name, final[0], devices, tuple(moves))
    for index in reversed(done):
        ledger.undo(index)
    return found
