"""VMs as rows of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from core.config.model import Configuration
from core.fleet.fleet import IO_ERROR, VM, Fleet, HostSnapshot, VMState
from core.hardware import HardwareProfile
from core.text import natural
from core.units import show_age
from tui.render.ages import Freshness, freshness
from tui.render.cells import Cell, Tone
from tui.render.figures import NONE, gib
from tui.render.rows import Column, Measure, Row, SortValue
from tui.render.vms.progress import NOTHING, UnderWay
from tui.state.cpu_history import CpuHistory

VM_COLUMNS = (
    Column(key="name", title="NAME", least=12, most=48, letter="N"),
    Column(key="host", title="HOST", least=4, most=20, letter="H"),
    Column(key="state", title="STATE", whole=True, most=40, letter="S"),
    Column(key="vcpus", title="VCPUS", right=True, least=7, letter="V", ascending=False),
    Column(key="cpu", title="CPU %", right=True, least=7, letter="C", ascending=False),
    Column(key="load", title="HISTORY", least=8, most=8, priority=6),
    Column(
        key="memory",
        title="MEM GiB",
        right=True,
        least=9,
        letter="M",
        ascending=False,
        priority=1,
        measure=Measure.SIZE,
    ),
    Column(key="devices", title="DEVICES", least=12, most=30, priority=3, letter="D", ascending=False),
    Column(key="address", title="ADDRESS", whole=True, most=39, priority=2, letter="A"),
    Column(key="endpoint", title="ENDPOINT", whole=True, most=45, priority=7),
    Column(key="uptime", title="UPTIME", right=True, least=8, priority=4, letter="U", measure=Measure.DURATION),
    Column(key="kind", title="KIND", least=9, most=9, priority=5, letter="K"),
    Column(key="realm", title="REALM", most=20, wide_only=True),
    Column(key="uuid", title="UUID", most=36, wide_only=True),
)
HOST_VM_COLUMNS = tuple(
    replace(column, wide_only=True) if column.key in {"host", "realm"} else column for column in VM_COLUMNS
)
"""The columns where all VMs are on one host."""

VM_TONES = {
    VMState.RUNNING: Tone.GOOD,
    VMState.PAUSED: Tone.WARN,
    VMState.SHUTTING_DOWN: Tone.WARN,
    VMState.SUSPENDED: Tone.MUTED,
    VMState.CRASHED: Tone.BAD,
    VMState.OFF: Tone.MUTED,
    VMState.SAVED: Tone.ACCENT,
    VMState.UNKNOWN: Tone.WARN,
}

_BUSY = 90.0
"""Percent of processor load from which on it stands out."""


@dataclass(frozen=True, slots=True)
class _Made:
    """The rows made of one host's VMs, and what they were made of."""

    snapshot: HostSnapshot
    worth: Freshness
    age: str
    profile: HardwareProfile | None
    doing: Mapping[str, str]
    rows: tuple[Row, ...]


class VMRows:
    """Makes rows of all VMs; those of a host that has not answered since are not made again."""

    def __init__(self, history: CpuHistory) -> None:
        self._history = history
        self._made: dict[str, _Made] = {}

    def rows(self, fleet: Fleet, configuration: Configuration, doing: UnderWay = NOTHING) -> list[Row]:
        """Make the rows of all VMs, host by host; `doing` says what is being done to some of them."""
        made: dict[str, _Made] = {}
        rows: list[Row] = []
        for snapshot in sorted(fleet.hosts, key=lambda snapshot: natural(snapshot.name)):
            worth = freshness(snapshot, fleet.taken, configuration.realms)
            profile = configuration.hardware_profiles.get(snapshot.host.profile)
            age = show_age(snapshot.age(fleet.taken) or 0.0) if not worth.is_current else ""
            words = doing.of_host(snapshot.name)
            before = self._made.get(snapshot.name)
            if (
                before is None
                or (before.worth, before.age) != (worth, age)
                or before.profile is not profile
                or before.doing != words
                or not _same_vms(before.snapshot, snapshot)
            ):
                seen = _Seen(worth, age, snapshot.observed_at or 0.0, profile, words)
                before = _Made(snapshot, worth, age, profile, words, self._host_rows(snapshot, seen))
            made[snapshot.name] = before
            rows += before.rows
        self._made = made
        return rows

    def _host_rows(self, snapshot: HostSnapshot, seen: _Seen) -> tuple[Row, ...]:
        return tuple(vm_row(vm, seen, self._history.curve(vm.key)) for vm in snapshot.vms)


def _same_vms(before: HostSnapshot, after: HostSnapshot) -> bool:
    return before.vms is after.vms and before.observed_at == after.observed_at and before.host == after.host


@dataclass(frozen=True, slots=True)
class _Seen:
    """What all VMs of a host share: what their figures are worth, how old they are, when they were true."""

    worth: Freshness
    age: str
    at: float
    profile: HardwareProfile | None
    doing: Mapping[str, str]
    """By UUID: what is being done to a VM now, which stands in the place of its state."""


def vm_row(vm: VM, seen: _Seen, history: str) -> Row:
    """Make a VM's row; one whose host can't vouch for it is unknown and dimmed, with the age of what was seen."""
    current = seen.worth.is_current
    uptime = seen.at - vm.started_at if vm.active and vm.started_at is not None else None
    busy = vm.cpu_percent if current else None
    kind: Cell = (("managed", Tone.MUTED),) if vm.managed else (("unmanaged", Tone.WARN),)
    cells: tuple[Cell, ...] = (
        vm.name,
        vm.host,
        _state(vm, seen),
        str(vm.vcpus),
        _percent(busy),
        ((history, Tone.BAR),) if current else "",
        gib(vm.memory_bytes),
        devices_text(vm, seen.profile),
        vm.address or NONE,
        vm.endpoint or NONE,
        show_age(uptime) if uptime is not None and current else NONE,
        kind,
        vm.realm,
        vm.uuid,
    )
    order: tuple[SortValue, ...] = (
        natural(vm.name),
        natural(vm.host),
        vm.state.value if current else "unknown",
        vm.vcpus,
        busy,
        None,
        vm.memory_bytes,
        len(vm.devices) or None,
        _by_address(vm.address),
        _by_address(vm.endpoint),
        uptime if current else None,
        "managed" if vm.managed else "unmanaged",
        natural(vm.realm),
        vm.uuid,
    )
    also = {2: vm.state.value if current else "unknown", 11: "realm" if vm.managed else "foreign"}
    return Row(vm.key, cells, order, dim=not current, also=also, identity=vm.uuid)


def _state(vm: VM, seen: _Seen) -> Cell:
    if not seen.worth.is_current:
        return ((f"unknown {seen.age}", Tone.WARN),)
    doing = seen.doing.get(vm.uuid)
    return ((state_words(vm), state_tone(vm)),) if not doing else ((doing, Tone.ACCENT),)


def state_words(vm: VM) -> str:
    """Name the state, and why, where that is told: paused (I/O error)."""
    return f"{vm.state.label} ({vm.state_reason})" if vm.state_reason else vm.state.label


def state_tone(vm: VM) -> Tone:
    """Return the tone of a state; one that its host fell into is a bad one."""
    return Tone.BAD if vm.state_reason == IO_ERROR else VM_TONES[vm.state]


def _percent(load: float | None) -> Cell:
    if load is None:
        return NONE
    text = f"{load:.0f}" if load >= 9.95 else f"{load:.1f}"
    return ((text, Tone.WARN),) if load >= _BUSY else text


def devices_text(vm: VM, profile: HardwareProfile | None) -> str:
    """Name a VM's devices by type and address: "a100 41:00.0"; "-" where it has none."""
    named: dict[str, list[str]] = {}
    for address in vm.devices:
        kind = profile.type_of(address) if profile is not None else None
        named.setdefault(kind or "pci", []).append(str(address).removeprefix("0000:"))
    return "  ".join(f"{kind} {' '.join(addresses)}" for kind, addresses in named.items()) or NONE


def _by_address(address: str | None) -> SortValue:
    return natural(address) if address is not None else None
