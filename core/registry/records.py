"""How hosts and reservations stand in the registry's file, and how they are read back."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from tinydb import TinyDB
from tinydb.table import Document, Table

from core.errors import HostRefused
from core.hardware import PciAddress
from core.hosts import Host, HostState, StaticAddress
from core.reservations import Reservation
from core.workers import worker_from

HOSTS = "hosts"
RESERVATIONS = "reservations"

_Record = TypeVar("_Record")

Fields = dict[str, Any]
"""One document of the file."""


class NotARecord(ValueError):
    """A document of the file isn't what it should be; the message says which, and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Contents:
    """All that the registry held at one moment, by number of document, in the order in which it was added.

    Reservations include those that have expired.
    """

    hosts: Mapping[int, Host]
    reservations: Mapping[int, Reservation]


def table_of(database: TinyDB, name: str) -> Table:
    """Open a table without TinyDB's query cache, which other processes make stale."""
    return database.table(name, cache_size=0)


def contents_of(database: TinyDB) -> Contents:
    """Read everything; raises NotARecord."""
    hosts = {document.doc_id: read_document(document, "host", host_from) for document in table_of(database, HOSTS)}
    for name in _twice(host.name for host in hosts.values()):
        raise NotARecord(f"two hosts are named {name!r}")
    reservations = {
        document.doc_id: read_document(document, "reservation", reservation_from)
        for document in table_of(database, RESERVATIONS)
    }
    for uuid in _twice(reservation.uuid for reservation in reservations.values()):
        raise NotARecord(f"two reservations are for {uuid}")
    return Contents(hosts, reservations)


def _twice(keys: Iterable[str]) -> list[str]:
    return [key for key, count in Counter(keys).items() if count > 1]


def fields_of_host(host: Host) -> Fields:
    """Write a host as a document."""
    static = host.static_address
    return {
        "name": host.name,
        "realm": host.realm,
        "uri": host.uri,
        "profile": host.profile,
        "state": host.state.value,
        "static_address": {"address": static.address, "base_port": static.base_port} if static else None,
        "version": host.version,
    }


def host_from(fields: Mapping[str, Any]) -> Host:
    """Read a host; raises NotARecord, KeyError or ValueError."""
    static = fields.get("static_address")
    return Host(
        name=_text(fields, "name"),
        realm=_text(fields, "realm"),
        uri=_text(fields, "uri"),
        profile=_text(fields, "profile"),
        state=HostState(_text(fields, "state")),
        static_address=None if static is None else _static_address(static),
        version=_whole(fields, "version"),
    )


def fields_of_reservation(reservation: Reservation) -> Fields:
    """Write a reservation as a document."""
    return {
        "uuid": reservation.uuid,
        "vm": reservation.vm,
        "host": reservation.host,
        "vcpus": reservation.vcpus,
        "memory_bytes": reservation.memory_bytes,
        "devices": [str(address) for address in reservation.devices],
        "taken_at": reservation.taken_at,
        "expires_at": reservation.expires_at,
        "owner": reservation.owner,
        "worker": reservation.worker.as_mapping() if reservation.worker else None,
        "clocks": {
            "expires_at": reservation.expires_at,  # older programs renew without the others
            "lasts": reservation.lasts,
            "ends": dict(reservation.ends),
        },
    }


def reservation_from(fields: Mapping[str, Any]) -> Reservation:
    """Read a reservation; raises NotARecord, KeyError or ValueError."""
    devices = fields["devices"]
    if not isinstance(devices, list) or not all(isinstance(address, str) for address in devices):
        raise NotARecord("devices is not a list of PCI addresses")
    clocks = fields.get("clocks") or {}
    if not isinstance(clocks, dict):
        raise NotARecord("clocks is not an object")
    if clocks.get("expires_at") != fields["expires_at"]:
        clocks = {}
    ends = clocks.get("ends", {})
    if not isinstance(ends, dict):
        raise NotARecord("ends is not an object")
    return Reservation(
        uuid=_text(fields, "uuid"),
        vm=_text(fields, "vm"),
        host=_text(fields, "host"),
        vcpus=_whole(fields, "vcpus"),
        memory_bytes=_whole(fields, "memory_bytes"),
        devices=tuple(PciAddress.parse(address) for address in devices),
        taken_at=_time(fields, "taken_at"),
        expires_at=_time(fields, "expires_at"),
        owner=_text(fields, "owner"),
        worker=worker_from(fields.get("worker")),
        lasts=_time(clocks, "lasts") if clocks else 0.0,
        ends={str(boot): _time(ends, boot) for boot in ends},
    )


def read_document(document: Document, kind: str, read: Callable[[Mapping[str, Any]], _Record]) -> _Record:
    """Read a document as what it is; raises NotARecord, which names it."""
    try:
        return read(document)
    except KeyError as error:
        message = f"{kind} {document.doc_id} has no {error.args[0]}"
        raise NotARecord(message) from error
    except (ValueError, OverflowError, HostRefused) as error:  # of an enum, a PCI address, a time, a static address
        message = f"{kind} {document.doc_id}: {error}"
        raise NotARecord(message) from error


def _text(fields: Mapping[str, Any], key: str) -> str:
    if not isinstance(value := fields[key], str):
        raise NotARecord(f"{key} is not a text")
    return value


def _whole(fields: Mapping[str, Any], key: str) -> int:
    value = fields[key]
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise NotARecord(f"{key} is not a whole number")
    return value


def _time(fields: Mapping[str, Any], key: str) -> float:
    value = fields[key]
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise NotARecord(f"{key} is not a time")
    return float(value)


def _static_address(fields: object) -> StaticAddress:
    if not isinstance(fields, dict):
        raise NotARecord("static_address is not an address and port")
    return StaticAddress(_text(fields, "address"), _whole(fields, "base_port"))
