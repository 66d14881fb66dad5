"""What would make a host take a VM that it refuses, in words."""

from collections.abc import Iterator, Mapping

from core.codes import Why
from core.fleet.fleet import VM
from core.placement.engine.remedies import Remedy
from core.placement.engine.request import Request
from core.placement.engine.verdicts import Refusal
from core.units import show_size

NOTHING_HELPS = "only a configuration change: freeing resources is not enough"
"""What is said where no VM's going and no smaller request is enough."""

_GIB = 2**30
_FIRST = {
    Why.REALM_DISABLED: "enable its realm",
    Why.HOST_DISABLED: "enable it",
    Why.NO_SCHEDULING: "enable it",
    Why.NOT_CONNECTED: "wait for its connection",
    Why.STALE: "wait for its next answer",
}


def ways(remedy: Remedy, request: Request, *, remarks: bool = True) -> Iterator[str]:
    """Return what must go first, then each way that is enough by itself; with `remarks` also what is not enough."""
    first = list(dict.fromkeys(_first(refusal) for refusal in remedy.first))
    if first:
        then = {True: "", False: "; then", None: "; may still not fit"}[remedy.fits_then]
        yield " and ".join(first) + then
    if remedy.fits_then is not False:
        return
    options = []
    if remedy.free is not None:
        options.append(f"free {_amounts(remedy.free)} there")
    if remedy.move is not None:
        options.append(f"move {remedy.move.name} ({_vm(remedy.move)}) away")
    if remedy.ask is not None:
        options.append(_smaller(request, remedy.ask))
    if not options:
        yield NOTHING_HELPS
        return
    for index, option in enumerate(options):
        yield option if index == 0 else f"or {option}"
    if remarks and remedy.free is not None and remedy.move is None and set(remedy.free) != {"vms"}:
        yield "(moving one VM is not enough)"


def _first(refusal: Refusal) -> str:
    match refusal.why:
        case Why.POOL_MISSING:
            return refusal.message.replace(" is missing", " must be set up").replace(" is inactive", " must be started")
        case Why.UNKNOWN_REALM | Why.UNKNOWN_PROFILE:
            return f"define it: {refusal.message}"
        case _:
            return _FIRST[refusal.why]


def _amounts(amounts: Mapping[str, int]) -> str:
    return " and ".join(_amount(attribute, amount) for attribute, amount in amounts.items())


def _amount(attribute: str, amount: int) -> str:
    match attribute:
        case "memory":
            return f"{size_text(amount, up=True)} of memory"
        case "vcpus":
            return "1 vCPU" if amount == 1 else f"{amount} vCPUs"
        case "vms":
            return "1 VM" if amount == 1 else f"{amount} VMs"
        case _:
            return f"{amount} {attribute.removeprefix('devices.')}"


def size_text(size: int, *, up: bool) -> str:
    """Write a size in GiB to the hundredth, never too little (`up`) or never too much."""
    if size < _GIB // 100:
        return f"{size} B"
    hundredths = -(-size * 100 // _GIB) if up else size * 100 // _GIB
    return f"{hundredths / 100:.2f}".rstrip("0").rstrip(".") + " GiB"


def _vm(vm: VM) -> str:
    devices = f", {len(vm.devices)} device{'s' * (len(vm.devices) > 1)}" if vm.devices else ""
    return f"{show_size(vm.memory_bytes)}, {_amount('vcpus', vm.vcpus)}{devices}"


def _smaller(request: Request, ask: Request) -> str:
    less = []
    if ask.memory_bytes < request.memory_bytes:
        less.append(f"at most {size_text(ask.memory_bytes, up=False)} of memory")
    if ask.vcpus < request.vcpus:
        less.append(f"at most {_amount('vcpus', ask.vcpus)}")
    for kind, count in request.devices.items():
        if (kept := ask.devices.get(kind, 0)) < count:
            less.append(f"at most {_amount(kind, kept)}" if kept else f"no {kind}")
    return f"request {' and '.join(less)}"
