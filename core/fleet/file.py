"""A fleet as a file: `libvirt-realms-fleet/1`, saved from live hosts or written by hand.

Ages and other times are kept to the millisecond and count from `taken`. `use` and `cost` are written for the reader and
computed again when the file is read.
"""

import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.config.model import Configuration
from core.document import Malformed, read_json
from core.errors import UnreadableFile, UnwritableFile
from core.files import PRIVATE, replace_file
from core.fleet.content import FORMAT, read_fleet
from core.fleet.fleet import VM, Fleet, HostSnapshot
from core.fleet.rows import TO_THE_MILLISECOND, host_row, vm_row
from core.inputs import open_input, read_all
from core.reservations import Reservation
from core.text import json_text


def dump(fleet: Fleet, configuration: Configuration) -> str:
    """Write a fleet as JSON, one host or VM a line; reading it gives an equal fleet, its times to the millisecond."""
    hosts = [_host(fleet, snapshot, configuration) for snapshot in fleet.hosts]
    vms = [_vm(fleet, snapshot, vm) for snapshot in fleet.hosts for vm in snapshot.vms]
    return (
        f'{{"format": {json_text(FORMAT)},\n "taken": {json_text(_moment(fleet.taken))},\n'
        f' "hosts": {_lines(hosts)},\n "vms": {_lines(vms)}}}'
    )


def write_file(path: Path, fleet: Fleet, configuration: Configuration) -> None:
    """Save a fleet, in whole or not at all; a new file is its owner's alone. Raises UnwritableFile."""
    text = dump(fleet, configuration) + "\n"
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():  # a device or a pipe can't be replaced
            target.write_text(text, encoding="utf-8")
            return
        replace_file(target, text.encode(), mode=stat.S_IMODE(target.stat().st_mode) if target.exists() else PRIVATE)
    except OSError as error:
        raise UnwritableFile(f"{path} can't be written: {error.strerror or error}") from error


MOST_BYTES = 256 * 1024**2
"""Of a saved fleet; one of 1,000 hosts with 10,000 VMs has 4 MiB."""


def load_file(path: Path) -> Fleet:
    """Read a saved fleet, or one from a pipe or standard input (`-`). Raises UnreadableFile.

    One without `taken` is as old as its file.
    """
    try:
        with open_input(path) as file:
            written = os.fstat(file.fileno()).st_mtime
            content = read_all(file, MOST_BYTES)
    except OSError as error:
        raise UnreadableFile(f"{path} can't be read: {error.strerror or error}") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"{path} is not UTF-8 text", hint=f"byte {error.start} is invalid") from error
    return parse(text, now=written, source=str(path))


def parse(text: str, *, now: float, source: str = "saved fleet") -> Fleet:
    """Read a fleet from JSON; `now` is when it was taken where it doesn't say.

    Raises UnreadableFile, naming `source`, the place in it, and what would be right.
    """
    try:
        document = read_json(text)
    except ValueError as error:
        raise UnreadableFile(
            f"{source} is not JSON: {error}", hint=f"expected a saved fleet: JSON, {FORMAT}"
        ) from error
    try:
        return read_fleet(document, now)
    except Malformed as error:
        raise UnreadableFile(f"{source}: {error.where} {error}", hint=error.hint) from error


def _host(fleet: Fleet, snapshot: HostSnapshot, configuration: Configuration) -> dict[str, Any]:
    row = host_row(fleet, snapshot, configuration)
    row["version"] = snapshot.host.version
    row["machine_uuid"] = snapshot.machine_uuid
    row["error"] = snapshot.error
    row["pools"] = None if snapshot.pools is None else {name: state.value for name, state in snapshot.pools.items()}
    row["reservations"] = [_reservation(reservation) for reservation in snapshot.reservations]
    return row


def _vm(fleet: Fleet, snapshot: HostSnapshot, vm: VM) -> dict[str, Any]:
    row = vm_row(fleet, snapshot, vm)
    row["started_at"] = None if vm.started_at is None else _moment(vm.started_at)
    return row


def _reservation(reservation: Reservation) -> dict[str, Any]:
    return {
        "vm": reservation.vm,
        "uuid": reservation.uuid,
        "vcpus": reservation.vcpus,
        "memory": reservation.memory_bytes,
        "devices": [str(address) for address in reservation.devices],
        "taken_at": _moment(reservation.taken_at),
        "expires_at": _moment(reservation.expires_at),
        "owner": reservation.owner,
    }


def _moment(seconds: float) -> str:
    moment = datetime.fromtimestamp(round(seconds, TO_THE_MILLISECOND), UTC)
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")


def _lines(rows: list[dict[str, Any]]) -> str:
    return "[" + ",".join(f"\n  {json_text(row)}" for row in rows) + "]"
