"""A logged decision, read back: all that placement knew, so that it can decide again (specification, section 11)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from core.config.model import Configuration
from core.document import Fields, Malformed, read_json
from core.errors import UsageError
from core.fleet.fleet import VM, Connection, Fleet, HostSnapshot, PoolState, VMState
from core.hardware import HardwareProfile, PciAddress
from core.hosts import Host, HostState
from core.placement.engine.request import Request

MOST_VMS = 200_000
"""VMs on all hosts together; a line that tells of more is damaged."""

MOST_PLACED = 1_000_000
"""VMs placed by one decision."""

_DECIDED_AT = 0.0
"""The moment of a decision here: ages count from it, and are kept to the last bit only from zero."""


@dataclass(frozen=True, slots=True)
class LoggedPlacement:
    """Where a VM went, and the cost of the host afterwards."""

    host: str
    cost: float | None
    devices: tuple[PciAddress, ...]


@dataclass(frozen=True, slots=True)
class LoggedVerdict:
    """What was said of a host then: a cost, or why it was refused."""

    cost: float | None
    refusal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedDecision:
    """One line of the log. `verdicts` are by host; `hosts` those that were asked, in the log's order."""

    id: str
    time: str
    operation: str
    vm: str
    configuration: str
    """Digest of the configuration that it was made by; empty where the line has none."""
    request: Request
    count: int
    forced_host: str | None
    despite_refusal: bool
    """Whether an administrator's order went past a refusal: nothing was decided then."""
    has_fixed_devices: bool
    hosts: tuple[LoggedHost, ...]
    placements: tuple[LoggedPlacement, ...]
    verdicts: Mapping[str, LoggedVerdict]

    def fleet(self, configuration: Configuration) -> Fleet:
        """Return the hosts as they were, for a decision by a configuration."""
        return Fleet(_DECIDED_AT, tuple(host.snapshot(configuration) for host in self.hosts))


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedHost:
    """A host as placement knew it: what its VMs and reservations used together, not each of them."""

    bare: HostSnapshot
    """Without VMs and reservations."""
    vms: int = 0
    vcpus: int = 0
    memory_bytes: int = 0
    held: tuple[PciAddress, ...] | None = None
    """Addresses in use; None where the line doesn't say."""
    free: Mapping[str, frozenset[PciAddress]]
    """Free addresses by type of its profile then."""

    def snapshot(self, configuration: Configuration) -> HostSnapshot:
        """Return a snapshot of equal use: one VM has all of it, the others nothing."""
        if not self.vms:
            return self.bare
        held = self.held
        if held is None:
            profile = configuration.hardware_profiles.get(self.bare.host.profile)
            held = () if profile is None else self._held_of(profile)
        everything = _stand_in(0, self.vcpus, self.memory_bytes, held)
        return replace(self.bare, vms=(everything, *_stand_ins(self.vms - 1)))

    def _held_of(self, profile: HardwareProfile) -> tuple[PciAddress, ...]:
        return tuple(
            device.address
            for device in profile.devices
            if device.type in self.free and device.address not in self.free[device.type]
        )


_STAND_INS: list[VM] = []


def _stand_ins(count: int) -> list[VM]:
    """Return VMs that use nothing; all hosts share them, since only their number matters."""
    while len(_STAND_INS) < count:
        _STAND_INS.append(_stand_in(len(_STAND_INS) + 1))
    return _STAND_INS[:count]


def _stand_in(number: int, vcpus: int = 0, memory_bytes: int = 0, devices: tuple[PciAddress, ...] = ()) -> VM:
    return VM(
        name=f"logged-{number}",
        uuid=f"logged-{number}",
        host="",
        realm="",
        state=VMState.RUNNING,
        active=True,
        vcpus=vcpus,
        memory_bytes=memory_bytes,
        devices=devices,
    )


def read_decision(line: str) -> LoggedDecision:
    """Read one line; raises Malformed with the place of what is wrong."""
    try:
        document = read_json(line)
    except ValueError as error:
        raise Malformed("the line", f"is not JSON: {error}") from error
    fields = Fields(document, "")
    verdicts = _verdicts(fields)
    hosts = [_host(Fields(value, f"hosts[{index}]")) for index, value in enumerate(fields.sequence("hosts"))]
    if (vms := sum(host.vms for host in hosts)) > MOST_VMS:
        raise Malformed("hosts", f"have {vms} VMs", f"expected at most {MOST_VMS}")
    twice = [name for name, times in Counter(host.bare.name for host in hosts).items() if times > 1]
    if twice:
        raise Malformed("hosts", f"names {twice[0]!r} twice")
    missing = verdicts.keys() - {host.bare.name for host in hosts}
    if missing:
        raise Malformed("verdicts", f"name {min(missing)!r}, which is not among the hosts")
    request = Fields(fields.content.get("request"), "request")
    count = request.integer("count", 1)
    if not 1 <= count <= MOST_PLACED:
        raise Malformed("request.count", f"is {count}", f"1 to {MOST_PLACED}")
    return LoggedDecision(
        id=fields.text("id", "", may_be_empty=True),
        time=fields.text("time", "", may_be_empty=True),
        operation=fields.text("operation", "", may_be_empty=True),
        vm=fields.text("vm", "", may_be_empty=True),
        configuration=fields.text("configuration", "", may_be_empty=True),
        request=request_of(request),
        count=count,
        forced_host=fields.optional_text("forced_host"),
        despite_refusal=fields.boolean("despite_refusal", False),  # noqa: FBT003 - the default of a key
        has_fixed_devices=fields.content.get("fixed_devices") is not None,
        # A migration asks every host but the one that the VM is on: those that were asked have a verdict.
        hosts=tuple(host for host in hosts if host.bare.name in verdicts),
        placements=tuple(
            _placement(Fields(value, f"placements[{index}]"))
            for index, value in enumerate(fields.sequence("placements"))
        ),
        verdicts=verdicts,
    )


def request_of(fields: Fields) -> Request:
    """Read what a line says was asked for. Raises Malformed."""
    asked = fields.content.get("devices")
    devices = Fields({} if asked is None else asked, fields.at("devices"))
    try:
        return Request(
            fields.integer("vcpus"),
            fields.integer("memory"),
            {kind: devices.integer(kind) for kind in devices.content},
            fields.optional_text("realm"),
            fields.boolean("needs_drives_pool", False),  # noqa: FBT003 - the default of a key
        )
    except UsageError as error:
        raise Malformed("request", f"is invalid: {error.message}", error.hint) from error


def _placement(fields: Fields) -> LoggedPlacement:
    return LoggedPlacement(fields.text("host"), fields.real("cost"), fields.addresses("devices"))


def _verdicts(fields: Fields) -> dict[str, LoggedVerdict]:
    found = {}
    for index, value in enumerate(fields.sequence("verdicts")):
        verdict = Fields(value, f"verdicts[{index}]")
        refusal = verdict.content.get("refusal")
        message = ""
        if refusal is not None:
            message = Fields(refusal, verdict.at("refusal")).text("message", "refused")
        found[verdict.text("host")] = LoggedVerdict(verdict.real("cost"), message)
    return found


def _host(fields: Fields) -> LoggedHost:
    age = fields.number("age", None)
    pools = None
    if fields.content.get("pools") is not None:
        named = Fields(fields.content["pools"], fields.at("pools"))
        pools = {name: named.choice(name, PoolState) for name in named.content}
    bare = HostSnapshot(
        host=Host(
            name=fields.text("name"),
            realm=fields.text("realm"),
            uri="",
            profile=fields.text("profile"),
            state=fields.choice("state", HostState),
        ),
        connection=fields.choice("connection", Connection, Connection.CONNECTED),
        observed_at=None if age is None else _DECIDED_AT - age,
        pools=pools,
        error=fields.text("error", "", may_be_empty=True),
    )
    free = Fields(fields.content.get("free_devices") or {}, fields.at("free_devices"))
    free_devices = {kind: frozenset(free.addresses(kind)) for kind in free.content}
    if fields.content.get("use") is None:
        return LoggedHost(bare=bare, free=free_devices)
    use = Fields(fields.content["use"], fields.at("use"))
    held = fields.addresses("held_devices") if "held_devices" in fields.content else None
    logged = LoggedHost(
        bare=bare,
        vms=use.integer("vms"),
        vcpus=use.integer("vcpus"),
        memory_bytes=use.integer("memory"),
        held=held,
        free=free_devices,
    )
    if not logged.vms and (logged.vcpus or logged.memory_bytes or held):
        raise Malformed(use.where, "is not zero although there is no VM")
    return logged
