"""The log of scheduling decisions: everything needed to decide again (specification, sections 6 and 11).

`scheduling.jsonl` beside the registry has one JSON object a line; `scheduling-configurations/DIGEST.conf` beside it the
configuration that a decision was made by, as HOCON, once for each digest (SHA-256 of the file).
"""

import json
import secrets
import threading
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.config.model import Configuration
from core.errors import RealmsError, UnwritableFile
from core.fleet.fleet import Fleet, HostSnapshot
from core.fleet.rows import use_row
from core.hardware import PciAddress
from core.operations.paths import current_user
from core.operations.scheduling.config_store import content_of, store, stored_configuration, tidy
from core.operations.scheduling.log_file import append_line
from core.placement.engine.rows import placement_row, request_row, verdict_row
from core.placement.engine.verdicts import Placements

LOG_NAME = "scheduling.jsonl"

WRITE_SECONDS = 3.0
"""How long a placement waits for its log at most, whatever holds that up."""

_HINT = "set log-scheduling = off to continue without it"


def log_of(registry: Path) -> Path:
    """Name the log that belongs to a registry."""
    return registry.resolve().with_name(LOG_NAME)


@dataclass(frozen=True, slots=True)
class SchedulingDecision:
    """A decision to be logged: how VMs were placed on a fleet by a configuration, for what, and on what terms.

    `forced_host` is the only host that would do, `fixed_devices` the only devices, `despite_refusal` says that the host
    was taken although it was refused.
    """

    configuration: Configuration
    fleet: Fleet
    placements: Placements
    _: KW_ONLY
    operation: str
    vm: str = ""
    uuid: str = ""
    forced_host: str | None = None
    fixed_devices: tuple[PciAddress, ...] | None = None
    despite_refusal: bool = False

    def row(self, digest: str) -> dict[str, Any]:
        """Return it as it is logged, with the digest of its configuration; each has another id."""
        fleet, placements, fixed = self.fleet, self.placements, self.fixed_devices
        return {
            "time": datetime.fromtimestamp(fleet.taken, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "id": secrets.token_hex(8),
            "user": current_user(),
            "operation": self.operation,
            "vm": self.vm,
            "uuid": self.uuid,
            "request": request_row(placements.request, placements.count),
            "forced_host": self.forced_host,
            "despite_refusal": self.despite_refusal,
            "fixed_devices": None if fixed is None else [str(address) for address in fixed],
            "configuration": digest,
            "hosts": [
                decision_host_row(self.configuration, fleet, snapshot)
                for snapshot in fleet.hosts
                if placements.request.realm in (None, snapshot.host.realm)
            ],
            "placed": placements.placed,
            "placements": [placement_row(placement) for placement in placements.placements],
            "verdicts": [verdict_row(verdict) for verdict in placements.verdicts],
        }


def log_decision(registry: Path, decision: SchedulingDecision, *, deadline: float = WRITE_SECONDS) -> str:
    """Log a decision without ever failing it: gives a warning where it is not in the log, else nothing.

    Waits up to `deadline` seconds for a log that is held up, as on storage that hangs; it may be written later then.
    """
    outcome: list[str] = []
    settled = threading.Event()

    def end(problem: str) -> None:
        outcome.append(problem)
        settled.set()

    def write() -> None:
        try:
            append_decision(registry, decision, when_written=lambda: end(""))
        except RealmsError as error:
            end(f"the decision is not in the log: {error}")

    threading.Thread(target=write, name="scheduling log", daemon=True).start()
    settled.wait(deadline)
    if outcome:
        return outcome[0]
    return f"the decision is not in the log yet: {log_of(registry)} was not written within {deadline:g} s ({_HINT})"


def append_decision(
    registry: Path, decision: SchedulingDecision, *, when_written: Callable[[], object] = lambda: None
) -> dict[str, Any]:
    """Write a decision, and return what was written. Raises UnwritableFile.

    Where the log is rotated by that, configurations that no line refers to any more are removed, after `when_written`.
    Whoever rotates the log may rename it at any time: each line is written whole, to the file of that name then.
    """
    path = log_of(registry)
    content = content_of(decision.configuration)
    try:
        digest = store(path, content, like=registry)
        row = decision.row(digest)
        is_rotated = append_line(path, json.dumps(row, allow_nan=False), like=registry)
        if not stored_configuration(path, digest).exists():  # another program has tidied up meanwhile
            store(path, content, like=registry)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        message = f"{path} can't be written: {reason or error}"
        raise UnwritableFile(message, hint=_HINT) from error
    when_written()
    if is_rotated:
        tidy(path)
    return row


def decision_host_row(configuration: Configuration, fleet: Fleet, snapshot: HostSnapshot) -> dict[str, Any]:
    """Return all that placement knew of a host: its use, reservations included, and its free devices in their order.

    `age` is exact, not rounded: whether data were too old may depend on it. `held_devices` are all addresses in use,
    also those that the profile does not list: another profile may.
    """
    profile = configuration.hardware_profiles.get(snapshot.host.profile)
    held = snapshot.addresses_in_use()
    free: dict[str, list[str]] = {}
    if profile is not None and snapshot.is_known:
        free = {
            kind: [str(address) for address in dict.fromkeys(profile.addresses(kind)) if address not in held]
            for kind in profile.device_types
        }
    return {
        "name": snapshot.name,
        "realm": snapshot.host.realm,
        "profile": snapshot.host.profile,
        "state": snapshot.host.state.value,
        "connection": snapshot.connection.value,
        "error": snapshot.error or None,
        "age": fleet.age(snapshot),
        "use": use_row(snapshot.use(profile)) if snapshot.is_known else None,
        "free_devices": free,
        "held_devices": [str(address) for address in sorted(held)],
        "pools": None if snapshot.pools is None else {name: state.value for name, state in snapshot.pools.items()},
        "reservations": [reservation.uuid for reservation in snapshot.pending_reservations()],
    }
