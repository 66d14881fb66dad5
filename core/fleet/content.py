"""From a parsed `libvirt-realms-fleet/1` document to a fleet, refusing what makes no sense with its place.

A document written by hand needs name, realm, profile and state of each host, and name, host, vcpus and memory of each
VM; the rest has defaults. Keys that are not known are ignored.
"""

import uuid

from core.document import Fields, Malformed, did_you_mean
from core.errors import HostRefused
from core.fleet.fleet import VM, Connection, Fleet, HostSnapshot, PoolState, VMState
from core.fleet.rows import TO_THE_MILLISECOND
from core.hosts import Host, HostState, StaticAddress
from core.reservations import Reservation

FORMAT = "libvirt-realms-fleet/1"

_WRITTEN_BY_HAND = uuid.UUID("b9a57c0e-6f0c-5a51-9d1c-0f6f1f1c7f3e")
"""Namespace of the UUIDs of VMs whose file gives none: the same host and name have the same one in every file."""

_UNENDING = 3600.0
"""Seconds that a reservation without an end lasts after `taken`."""


def read_fleet(document: object, now: float) -> Fleet:
    """Make a fleet of a document; `now` stands in for a missing `taken`. Raises Malformed."""
    fields = Fields(document, "")
    found = fields.content.get("format")
    if found != FORMAT:
        problem = "is missing" if found is None else f"is {found!r}"
        raise Malformed("format", problem, f'this program reads "{FORMAT}"')
    taken = fields.moment("taken")
    taken = round(now, TO_THE_MILLISECOND) if taken is None else taken
    hosts = [Fields(value, f"hosts[{index}]") for index, value in enumerate(fields.sequence("hosts"))]
    places: dict[str, str] = {}
    for host in hosts:
        name = host.text("name")
        if name in places:
            raise Malformed(host.at("name"), f"is {name!r}, the same as in {places[name]}", "names must be unique")
        places[name] = host.where
    vms = _vms(fields, {host.text("name"): host.text("realm") for host in hosts})
    return Fleet(taken, tuple(_snapshot(host, taken, tuple(vms[host.text("name")])) for host in hosts))


def _vms(fields: Fields, realms: dict[str, str]) -> dict[str, list[VM]]:
    by_host: dict[str, list[VM]] = {name: [] for name in realms}
    places: dict[tuple[str, str], str] = {}
    for index, value in enumerate(fields.sequence("vms", ())):
        entry = Fields(value, f"vms[{index}]")
        host = entry.text("host")
        if host not in realms:
            hint = did_you_mean(host, realms) or f"hosts in this file: {', '.join(list(realms)[:5]) or 'none'}"
            raise Malformed(entry.at("host"), f"is {host!r}, which is not a host in this file", hint)
        vm = _vm(entry, host, realms[host])
        if vm.key in places:
            raise Malformed(
                entry.where, f"is the same VM as {places[vm.key]}", "give VMs that share a name and host a uuid each"
            )
        places[vm.key] = entry.where
        by_host[host].append(vm)
    return by_host


def _snapshot(fields: Fields, taken: float, vms: tuple[VM, ...]) -> HostSnapshot:
    connection = fields.choice("connection", Connection, Connection.CONNECTED)
    age = fields.number("age", 0.0 if connection is Connection.CONNECTED else None)
    name = fields.text("name")
    reservations = [
        _reservation(Fields(value, f"{fields.at('reservations')}[{index}]"), name, taken)
        for index, value in enumerate(fields.sequence("reservations", ()))
    ]
    return HostSnapshot(
        host=Host(
            name=name,
            realm=fields.text("realm"),
            uri=fields.text("uri", "", may_be_empty=True),
            profile=fields.text("profile"),
            state=fields.choice("state", HostState),
            static_address=_static_address(fields),
            version=fields.integer("version", 0),
        ),
        connection=connection,
        observed_at=None if age is None else round(taken - age, TO_THE_MILLISECOND),
        vms=vms,
        pools=_pools(fields),
        reservations=tuple(reservation for reservation in reservations if reservation.expires_at > taken),
        error=fields.text("error", "", may_be_empty=True),
        machine_uuid=fields.optional_text("machine_uuid"),
    )


def _vm(fields: Fields, host: str, realm: str) -> VM:
    name = fields.text("name")
    state = fields.choice("state", VMState, VMState.RUNNING)
    return VM(
        name=name,
        uuid=fields.optional_text("uuid") or str(uuid.uuid5(_WRITTEN_BY_HAND, f"{host}/{name}")),
        host=host,
        realm=fields.text("realm", realm),
        state=state,
        # Libvirt gives an id to every domain but those that are off; nobody knows of UNKNOWN, so it is counted.
        active=fields.boolean("active", state not in (VMState.OFF, VMState.SAVED)),
        vcpus=fields.integer("vcpus"),
        memory_bytes=fields.integer("memory"),
        devices=fields.addresses("devices"),
        managed=fields.boolean("managed", True),  # noqa: FBT003 - the default of a key
        address=fields.optional_text("address"),
        endpoint=fields.optional_text("endpoint"),
        cpu_percent=fields.number("cpu_percent", None),
        started_at=fields.moment("started_at"),
        state_reason=fields.optional_text("state_reason") or "",
    )


def _reservation(fields: Fields, host: str, taken: float) -> Reservation:
    vm = fields.text("vm", fields.where)
    taken_at, expires_at = fields.moment("taken_at"), fields.moment("expires_at")
    return Reservation(
        uuid=fields.optional_text("uuid") or str(uuid.uuid5(_WRITTEN_BY_HAND, f"{host}/{vm}")),
        vm=vm,
        host=host,
        vcpus=fields.integer("vcpus"),
        memory_bytes=fields.integer("memory"),
        devices=fields.addresses("devices"),
        taken_at=taken if taken_at is None else taken_at,
        expires_at=taken + _UNENDING if expires_at is None else expires_at,
        owner=fields.text("owner", "", may_be_empty=True),
    )


def _static_address(fields: Fields) -> StaticAddress | None:
    value = fields.content.get("static_address")
    if value is None:
        return None
    translation = Fields(value, fields.at("static_address"))
    address, base_port = translation.text("address"), translation.integer("base_port")
    try:
        return StaticAddress(address, base_port)
    except HostRefused as error:
        raise Malformed(translation.where, f"is invalid: {error.message}", error.hint) from error


def _pools(fields: Fields) -> dict[str, PoolState] | None:
    value = fields.content.get("pools")
    if value is None:
        return None
    pools = Fields(value, fields.at("pools"))
    return {name: pools.choice(name, PoolState) for name in pools.content}
