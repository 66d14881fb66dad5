"""Whether a VM has come up: it answers at its address, or its guest agent does (specification, section 9)."""

import contextlib
import socket
from dataclasses import dataclass
from enum import StrEnum

from core.codes import ErrorCode
from core.driver.vms.domain_control import AGENT_SECONDS, agent_answers
from core.driver.vms.leases import Lease, leases_of
from core.errors import DriverError, RealmsError
from core.fleet.fleet import VM, Connection, HostSnapshot
from core.operations.hosts.access import run_in_lane
from core.operations.session import Session
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Control, StepControl
from core.realms import Realm
from core.units import format_duration

CONNECT_SECONDS = 2.0
"""Seconds that a VM has to accept a connection, each time that it is tried."""

LONGEST_INTERVAL = 1.0
"""Seconds between two attempts where the realm's poll frequency is longer: they go to the VM, not to its host."""

AGENT_INTERVAL = 5.0
"""Seconds between two questions to the guest agent, which hold up the host's lane."""


OLD_LEASE_SECONDS = 60.0
"""Seconds for which an answer at an address from before the start proves nothing: it may be someone else's by now.

Past it the VM is believed to have that address for good, and not to ask for it.
"""


UNREGISTERED_HINT = "use --no-wait to keep it running, then realms vms console to see why it doesn't register"
"""For who looks for the reason: what did not register has been stopped."""


class NotRegistered(RealmsError):
    """A VM was started and did not register within the realm's registration timeout, or ended before."""

    code = ErrorCode.NOT_REGISTERED


class RegisteredBy(StrEnum):
    """What told that a VM has come up."""

    TCP = "tcp"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class Registered:
    """A VM that has come up. `endpoint` is where it answered, or is known to be; `seconds` how long it took."""

    by: RegisteredBy
    endpoint: str | None
    seconds: float


def seen_active(session: Session, host: str, uuid: str, after: float) -> VM | None:
    """Find a VM as active in a snapshot of its host that is newer than a moment; None where there is none yet."""
    return _active_in(session.fleet().host(host), uuid, after)


def _active_in(snapshot: HostSnapshot | None, uuid: str, after: float) -> VM | None:
    if snapshot is None or snapshot.observed_at is None or snapshot.observed_at < after:
        return None
    return next((vm for vm in snapshot.active_vms() if vm.uuid == uuid), None)


def await_active(session: Session, control: Control, host: str, uuid: str, *, after: float, seconds: float) -> bool:
    """Wait until a snapshot newer than a moment shows a VM active, so long at most; tells whether one does."""
    watch, clock = session.connect(), session.clock
    until = clock.monotonic() + seconds
    while seen_active(session, host, uuid, after) is None:
        rest = until - clock.monotonic()
        if rest <= 0:
            return False
        generation = watch.generation
        watch.wait(lambda _, seen=generation: watch.generation != seen, min(rest, 0.5))  # type: ignore[misc]
        control.check()
    return True


def wait_for_registration(
    session: Session,
    control: Control,
    realm: Realm,
    host: str,
    uuid: str,
    *,
    started_at: float,
    what: str,
    old_leases: frozenset[Lease] = frozenset(),
) -> Registered:
    """Wait until a VM that was started at `started_at` (seconds since the epoch) has come up; `what` names it.

    `old_leases` are those that it had before: an address is the VM's own again once its lease has been renewed.
    Raises NotRegistered past the realm's registration timeout, with what was missing, or as soon as the VM is off
    again; Cancelled.
    """
    clock = session.clock
    began = clock.monotonic()
    agent_due = began
    with control.step(StepKind.REGISTER, f"wait until {what} registers", host, vm=what) as step:
        while True:
            control.check()
            waited = clock.monotonic() - began
            snapshot = session.fleet().host(host)
            vm = _active_in(snapshot, uuid, started_at)
            _refuse_ended(snapshot, vm, what, started_at)
            believed = not old_leases or waited >= min(OLD_LEASE_SECONDS, realm.registration_timeout / 2)
            if (
                vm is not None
                and vm.endpoint is not None
                and _accepts(vm.endpoint)
                and (believed or _is_renewed(session, vm, old_leases))
            ):
                step.detail(f"answers at {vm.endpoint}")
                return Registered(RegisteredBy.TCP, vm.endpoint, clock.monotonic() - began)
            if vm is not None and clock.monotonic() >= agent_due:
                agent_due = clock.monotonic() + AGENT_INTERVAL
                if _agent_answers(session, host, uuid):
                    step.detail("its guest agent answers")
                    return Registered(RegisteredBy.AGENT, vm.endpoint, clock.monotonic() - began)
            if waited >= realm.registration_timeout:
                timeout = format_duration(realm.registration_timeout)
                message = f"{what} on {host} has not registered within {timeout}: {_missing(snapshot, vm)}"
                raise NotRegistered(message, hint=UNREGISTERED_HINT)
            _tell(step, snapshot, vm, waited, realm.registration_timeout)
            rest = realm.registration_timeout - waited
            control.wait(max(0.05, min(LONGEST_INTERVAL, realm.poll_frequency, rest)))


def _refuse_ended(snapshot: HostSnapshot | None, vm: VM | None, what: str, started_at: float) -> None:
    """Raise NotRegistered where a snapshot from after the start shows the VM off: waiting on would be in vain."""
    if vm is not None or snapshot is None or snapshot.connection is not Connection.CONNECTED:
        return
    if snapshot.observed_at is not None and snapshot.observed_at > started_at:
        message = f"{what} on {snapshot.name} was started and is off again: it has shut down, crashed or been stopped"
        hint = f"on {snapshot.name}: /var/log/libvirt/qemu/ may show why"
        raise NotRegistered(message, hint=hint)


def _accepts(endpoint: str) -> bool:
    address, _, port = endpoint.rpartition(":")
    with contextlib.suppress(OSError, ValueError):
        socket.create_connection((address, int(port)), CONNECT_SECONDS).close()
        return True
    return False


def _is_renewed(session: Session, vm: VM, old_leases: frozenset[Lease]) -> bool:
    """Return whether a VM has its address by other leases than those from before its start."""
    if not any(lease.address == vm.address for lease in old_leases):
        return True
    try:
        leases = run_in_lane(session, vm.host, lambda connection: leases_of(connection, vm.uuid), AGENT_INTERVAL)
    except DriverError:  # the host is silent at this moment: it may be back before the deadline
        return False
    present = {lease for lease in leases if lease.address == vm.address}
    return not present or bool(present - old_leases)


def _agent_answers(session: Session, host: str, uuid: str) -> bool:
    try:
        return run_in_lane(session, host, lambda connection: agent_answers(connection, uuid), AGENT_SECONDS + 5.0)
    except DriverError:  # the host is silent at this moment: it may be back before the deadline
        return False


def _missing(snapshot: HostSnapshot | None, vm: VM | None) -> str:
    if snapshot is None or snapshot.connection is not Connection.CONNECTED:
        return "its host does not answer" + (f" ({snapshot.error})" if snapshot and snapshot.error else "")
    if vm is None:
        return "its host has not been seen since"
    if vm.state.value != "running":
        return f"it is {vm.state.value}"
    if vm.endpoint is None:
        return "it has no address, and its guest agent does not answer"
    return f"nothing accepts connections at {vm.endpoint}, and its guest agent does not answer"


def _tell(step: StepControl, snapshot: HostSnapshot | None, vm: VM | None, waited: float, timeout: float) -> None:
    step.progress(min(waited, timeout), timeout, "s")
    step.detail(_missing(snapshot, vm))
