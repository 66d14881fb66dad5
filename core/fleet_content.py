"""From a parsed `libvirt-realms-fleet/1` document to a fleet, refusing what makes no sense with its place.

A document written by hand needs name, realm, profile and state of each host, and name, host, vcpus and memory of each
VM; the rest has defaults. Keys that are not known are ignored.
"""

from __future__ import annotations

import difflib
import uuid
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from core.errors import HostRefused
from core.fleet import VM, Connection, Fleet, HostSnapshot, PoolState, VMState
from core.fleet_rows import TO_THE_MILLISECOND
from core.hardware import NotAPciAddress, PciAddress
from core.hosts import Host, HostState, StaticAddress
from core.reservations import Reservation
from core.units import MAX_BYTES

FORMAT = "libvirt-realms-fleet/1"

_WRITTEN_BY_HAND = uuid.UUID("b9a57c0e-6f0c-5a51-9d1c-0f6f1f1c7f3e")
"""Namespace of the UUIDs of VMs whose file gives none: the same host and name have the same one in every file."""

_UNENDING = 3600.0
"""Seconds that a reservation without an end lasts after `taken`."""

Choice = TypeVar("Choice", bound=StrEnum)


class Malformed(ValueError):
    """Something in a document is not what it should be; `where` is its place and `hint` what would be right."""

    def __init__(self, where: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.where = where
        self.hint = hint


def read_fleet(document: object, now: float) -> Fleet:
    """Make a fleet of a document; `now` stands in for a missing `taken`. Raises Malformed."""
    fields = _Fields(document, "")
    found = fields.content.get("format")
    if found != FORMAT:
        problem = "is missing" if found is None else f"is {found!r}"
        raise Malformed("format", problem, f'this program reads "{FORMAT}"')
    taken = fields.moment("taken")
    taken = round(now, TO_THE_MILLISECOND) if taken is None else taken
    hosts = [_Fields(value, f"hosts[{index}]") for index, value in enumerate(fields.sequence("hosts"))]
    places: dict[str, str] = {}
    for host in hosts:
        name = host.text("name")
        if name in places:
            raise Malformed(host.at("name"), f"is {name!r}, as in {places[name]}", "names are unique")
        places[name] = host.where
    vms = _vms(fields, {host.text("name"): host.text("realm") for host in hosts})
    return Fleet(taken, tuple(_snapshot(host, taken, tuple(vms[host.text("name")])) for host in hosts))


def _vms(fields: _Fields, realms: dict[str, str]) -> dict[str, list[VM]]:
    by_host: dict[str, list[VM]] = {name: [] for name in realms}
    places: dict[tuple[str, str], str] = {}
    for index, value in enumerate(fields.sequence("vms", ())):
        entry = _Fields(value, f"vms[{index}]")
        host = entry.text("host")
        if host not in realms:
            hint = _near(host, realms) or f"hosts of this file: {', '.join(list(realms)[:5]) or 'none'}"
            raise Malformed(entry.at("host"), f"is {host!r}, which is no host of this file", hint)
        vm = _vm(entry, host, realms[host])
        if vm.key in places:
            raise Malformed(
                entry.where, f"is the same VM as {places[vm.key]}", "give VMs of one name on one host each a uuid"
            )
        places[vm.key] = entry.where
        by_host[host].append(vm)
    return by_host


def _snapshot(fields: _Fields, taken: float, vms: tuple[VM, ...]) -> HostSnapshot:
    connection = fields.choice("connection", Connection, Connection.CONNECTED)
    age = fields.number("age", 0.0 if connection is Connection.CONNECTED else None)
    name = fields.text("name")
    reservations = [
        _reservation(_Fields(value, f"{fields.at('reservations')}[{index}]"), name, taken)
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


def _vm(fields: _Fields, host: str, realm: str) -> VM:
    name = fields.text("name")
    state = fields.choice("state", VMState, VMState.RUNNING)
    return VM(
        name=name,
        uuid=fields.optional_text("uuid") or str(uuid.uuid5(_WRITTEN_BY_HAND, f"{host}/{name}")),
        host=host,
        realm=fields.text("realm", realm),
        state=state,
        # Libvirt gives an id to every domain but those that are off; nobody knows of UNKNOWN, so it is counted.
        active=fields.boolean("active", state is not VMState.OFF),
        vcpus=fields.integer("vcpus"),
        memory_bytes=fields.integer("memory"),
        devices=fields.addresses("devices"),
        managed=fields.boolean("managed", True),  # noqa: FBT003 - the default of a key
        address=fields.optional_text("address"),
        endpoint=fields.optional_text("endpoint"),
        cpu_percent=fields.number("cpu_percent", None),
        started_at=fields.moment("started_at"),
    )


def _reservation(fields: _Fields, host: str, taken: float) -> Reservation:
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


def _static_address(fields: _Fields) -> StaticAddress | None:
    value = fields.content.get("static_address")
    if value is None:
        return None
    translation = _Fields(value, fields.at("static_address"))
    address, base_port = translation.text("address"), translation.integer("base_port")
    try:
        return StaticAddress(address, base_port)
    except HostRefused as error:
        raise Malformed(translation.where, f"makes no sense: {error.message}", error.hint) from error


def _pools(fields: _Fields) -> dict[str, PoolState] | None:
    value = fields.content.get("pools")
    if value is None:
        return None
    pools = _Fields(value, fields.at("pools"))
    return {name: pools.choice(name, PoolState) for name in pools.content}


class _Fields:
    """The keys of one object of the document, read by type; `where` is its place, empty for the document itself."""

    __slots__ = ("content", "where")

    def __init__(self, content: object, where: str) -> None:
        if not isinstance(content, dict):
            raise Malformed(where or "the document", f"is {_kind(content)}", "an object is needed: { ... }")
        self.content: dict[str, Any] = content
        self.where = where

    def at(self, key: str) -> str:
        """Place of a key."""
        return f"{self.where}.{key}" if self.where else key

    def _wrong(self, key: str, needed: str) -> Malformed:
        if key not in self.content:
            return Malformed(self.at(key), "is missing", f"{needed} is needed")
        value = self.content[key]
        shown = repr(value) if isinstance(value, str | int | float) and value is not True else _kind(value)
        return Malformed(self.at(key), f"is {shown[:100]}", f"{needed} is needed")

    def _get(self, key: str, default: object) -> Any:
        value = self.content.get(key)
        return default if value is None else value

    def text(self, key: str, default: str | None = None, *, may_be_empty: bool = False) -> str:
        value = self._get(key, default)
        if not isinstance(value, str) or not (value or may_be_empty):
            raise self._wrong(key, "a text")
        try:
            value.encode()
        except UnicodeEncodeError as error:  # half of a surrogate pair, which JSON can spell and nothing can print
            raise Malformed(
                self.at(key), "holds half a character", "characters past U+FFFF need both halves"
            ) from error
        return value

    def optional_text(self, key: str) -> str | None:
        return None if self.content.get(key) is None else self.text(key)

    def integer(self, key: str, default: int | None = None) -> int:
        value = self._get(key, default)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_BYTES:
            raise self._wrong(key, "a whole number of bytes" if key == "memory" else "a whole number from 0 on")
        return value

    def number(self, key: str, default: float | None) -> float | None:
        value = self.content.get(key, default)
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= MAX_BYTES:
            raise self._wrong(key, "a number from 0 on, or null,")
        return float(value)

    def boolean(self, key: str, default: bool) -> bool:
        value = self._get(key, default)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def choice(self, key: str, choices: type[Choice], default: Choice | None = None) -> Choice:
        value = self._get(key, default)
        known = [choice.value for choice in choices]
        if not isinstance(value, str) or value not in known:
            wrong = self._wrong(key, "one of " + ", ".join(known))
            near = _near(value, known) if isinstance(value, str) else ""
            raise Malformed(wrong.where, str(wrong), near or wrong.hint)
        return choices(value)

    def moment(self, key: str) -> float | None:
        value = self.content.get(key)
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(value)
            # A moment without a zone is in UTC.
            seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (TypeError, ValueError, OverflowError) as error:
            raise self._wrong(key, "a time such as 2026-11-22T10:00:00Z") from error
        return round(seconds, TO_THE_MILLISECOND)

    def sequence(self, key: str, default: tuple[Any, ...] | None = None) -> list[Any] | tuple[Any, ...]:
        value = self._get(key, default)
        if not isinstance(value, list | tuple):
            raise self._wrong(key, "a list")
        return value

    def addresses(self, key: str) -> tuple[PciAddress, ...]:
        found = []
        for index, value in enumerate(self.sequence(key, ())):
            where = f"{self.at(key)}[{index}]"
            if not isinstance(value, str):
                raise Malformed(where, f"is {_kind(value)}", "a PCI address is needed, such as 0000:41:00.0")
            try:
                found.append(PciAddress.parse(value))
            except NotAPciAddress as error:
                raise Malformed(where, f"makes no sense: {error}") from error
        return tuple(found)


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return "a text"
        case int() | float():
            return "a number"
        case list():
            return "a list"
        case _:
            return "an object"


def _near(value: str, known: Any) -> str:
    near = difflib.get_close_matches(value, list(known), 1)
    return f"did you mean {near[0]!r}?" if near else ""
