"""The log of scheduling decisions: everything needed to decide again (specification, sections 6 and 11).

`scheduling.jsonl` beside the registry has one JSON object a line; `scheduling-configurations/DIGEST.conf` beside it the
configuration that a decision was made by, as HOCON, once for each digest (SHA-256 of the file).
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from core.errors import UnwritableFile
from core.fleet_rows import TO_THE_MILLISECOND, use_row
from core.operations.places import current_user

if TYPE_CHECKING:
    from pathlib import Path

    from core.config.model import Configuration
    from core.fleet import Fleet, HostSnapshot
    from core.placement.verdicts import Placements

LOG_NAME = "scheduling.jsonl"
CONFIGURATIONS = "scheduling-configurations"


def log_of(registry: Path) -> Path:
    """Name the log that belongs to a registry."""
    return registry.resolve().with_name(LOG_NAME)


def append_decision(
    registry: Path,
    configuration: Configuration,
    fleet: Fleet,
    placements: Placements,
    *,
    operation: str,
    vm: str = "",
    uuid: str = "",
    forced_host: str | None = None,
) -> dict[str, Any]:
    """Write a decision as it was made on a fleet, and give it. Raises UnwritableFile.

    Whoever rotates the log may rename it at any time: each line is written whole, to the file of that name then.
    """
    from core.placement.rows import placement_row, request_row, verdict_row

    path = log_of(registry)
    try:
        digest = _store_configuration(path, configuration, like=registry)
        decision = {
            "time": datetime.fromtimestamp(fleet.taken, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "id": secrets.token_hex(8),
            "user": current_user(),
            "operation": operation,
            "vm": vm,
            "uuid": uuid,
            "request": request_row(placements.request, placements.count),
            "forced_host": forced_host,
            "configuration": digest,
            "hosts": [
                decision_host_row(configuration, fleet, snapshot)
                for snapshot in fleet.hosts
                if placements.request.realm in (None, snapshot.host.realm)
            ],
            "placed": placements.placed,
            "placements": [placement_row(placement) for placement in placements.placements],
            "verdicts": [verdict_row(verdict) for verdict in placements.verdicts],
        }
        _append(path, json.dumps(decision, allow_nan=False), like=registry)
    except OSError as error:
        message = f"{path} can't be written: {error.strerror or error}"
        raise UnwritableFile(message, hint="log-scheduling = off goes on without it") from error
    return decision


def decision_host_row(configuration: Configuration, fleet: Fleet, snapshot: HostSnapshot) -> dict[str, Any]:
    """Give all that placement knew of a host: its use, reservations included, and its free devices in their order."""
    profile = configuration.hardware_profiles.get(snapshot.host.profile)
    age = fleet.age(snapshot)
    held = snapshot.addresses_in_use()
    free: dict[str, list[str]] = {}
    if profile is not None and snapshot.is_known:
        free = {
            kind: [str(address) for address in profile.addresses(kind) if address not in held]
            for kind in profile.device_types
        }
    return {
        "name": snapshot.name,
        "realm": snapshot.host.realm,
        "profile": snapshot.host.profile,
        "state": snapshot.host.state.value,
        "connection": snapshot.connection.value,
        "error": snapshot.error or None,
        "age": None if age is None else round(age, TO_THE_MILLISECOND),
        "use": use_row(snapshot.use(profile)) if snapshot.is_known else None,
        "free_devices": free,
        "pools": None if snapshot.pools is None else {name: state.value for name, state in snapshot.pools.items()},
        "reservations": [reservation.uuid for reservation in snapshot.pending_reservations()],
    }


def _store_configuration(log: Path, configuration: Configuration, *, like: Path) -> str:
    from core.config.export import format_configuration
    from core.registry.durable import replace_file
    from core.registry.locking import exclusive

    text = format_configuration(configuration).encode()
    digest = hashlib.sha256(text).hexdigest()
    stored = log.with_name(CONFIGURATIONS) / f"{digest}.conf"
    if not stored.exists():
        stored.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with exclusive(log):
            replace_file(stored, text, former=None, keep=False)
            _share(stored, like)
    return digest


def _append(path: Path, line: str, *, like: Path) -> None:
    from core.registry.locking import exclusive

    with exclusive(path):
        new = not path.exists()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            # A writer that was killed in the midst leaves half a line: it stays alone on its line.
            torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            os.write(descriptor, (("\n" if torn else "") + line + "\n").encode("ascii"))
        finally:
            os.close(descriptor)
        if new:
            _share(path, like)


def _share(path: Path, like: Path) -> None:
    """Give a file to the group that the registry is shared with."""
    try:
        status = like.stat()
        os.chown(path, -1, status.st_gid)
        path.chmod(status.st_mode & 0o666)
    except OSError:  # no registry yet, or another administrator's file
        return
