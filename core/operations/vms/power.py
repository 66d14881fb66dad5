"""VMs paused, resumed, rebooted, shut down, turned off; many at once, each on its host (specification, section 9)."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.codes import ErrorCode
from core.driver.connection.connection import HostConnection
from core.driver.vms.domain_control import stop_domain, wake
from core.driver.vms.saved_memory import discard_saved_memory, save_memory
from core.errors import Cancelled, DriverError, HostTimeout, HostUnreachable, RealmsError
from core.fleet.fleet import IO_ERROR, VMState
from core.operations.hosts.access import HostAccess, run_in_lane
from core.operations.hosts.fanout import as_they_come
from core.operations.session import Session
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Control
from core.operations.vms.target import Target
from core.text import shell_command

SEEN_SECONDS = 15.0
"""Seconds to wait until a host's snapshot shows what was done."""

SHUTDOWN_SECONDS = 120.0
"""Seconds that a VM has to shut itself down by default."""

MOST_AT_ONCE = 64
"""VMs of one host that are waited for at the same time."""

STARTS_AT_ONCE = 4
"""VMs of one host that are started at the same time: each has a connection of its own, and sshd refuses crowds."""

_ANY = frozenset(VMState)
_OFF = frozenset({VMState.OFF})
_SAVED = frozenset({VMState.SAVED})
_IDLE = _OFF | _SAVED
_RUNS = frozenset({VMState.RUNNING})


STEADY_SECONDS = 1.0
"""Seconds after which a VM that had lost its storage goes on for good: what it could not write, it tries at once."""


class NotShutDown(RealmsError):
    """A VM was asked to shut itself down, and still runs."""

    code = ErrorCode.NOT_SHUT_DOWN


class WrongState(RealmsError):
    """What was asked for can't be done to a VM in its state; nothing was done."""

    code = ErrorCode.WRONG_STATE


class NotAsWished(RealmsError):
    """What was asked for was done, and the host shows the VM in another state since."""

    code = ErrorCode.STATE_NOT_REACHED


class StorageFailed(RealmsError):
    """A VM was resumed, and again could not use its storage."""

    code = ErrorCode.STORAGE_FAILED


class Action(StrEnum):
    """What is done to a VM as it is."""

    SHUTDOWN = "shutdown"
    REBOOT = "reboot"
    RESET = "reset"
    PAUSE = "pause"
    RESUME = "resume"
    OFF = "off"
    SAVE = "save"
    DISCARD_SAVE = "discard-save"


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an action on one VM: `changed` False where it was in that state already; its state as seen then."""

    target: Target
    changed: bool = True
    state: VMState | None = None
    error: RealmsError | None = None


@dataclass(frozen=True, slots=True)
class _Rule:
    already: frozenset[VMState]
    """States in which there is nothing to do."""
    then: frozenset[VMState]
    """States in which it is to be seen."""
    needs_storage: bool = False
    """Whether it will not be seen so once it is paused because its storage has failed."""


_RULES = {
    Action.SHUTDOWN: _Rule(_IDLE, _OFF, needs_storage=True),
    Action.REBOOT: _Rule(frozenset(), _ANY),
    Action.RESET: _Rule(frozenset(), _ANY),
    Action.PAUSE: _Rule(frozenset({VMState.PAUSED}), frozenset({VMState.PAUSED})),
    Action.RESUME: _Rule(_RUNS, _RUNS, needs_storage=True),
    Action.OFF: _Rule(_IDLE, _OFF),
    Action.SAVE: _Rule(_SAVED, _SAVED),
    Action.DISCARD_SAVE: _Rule(_OFF, _OFF),
}


_HELD = frozenset({VMState.PAUSED, VMState.SUSPENDED})
_NEED_CPUS = frozenset({Action.SHUTDOWN, Action.REBOOT})
"""Only a guest that goes on can hear of these."""


def _wrong_state(target: Target, action: Action, state: VMState) -> WrongState | None:
    """Return in plain words why libvirt refuses, with what is to be done first; None where its own words must do."""
    name = target.name
    if state is VMState.SAVED:
        return WrongState(f"{name} is saved: nothing to {action.value}", hint=shell_command("realms vms start", name))
    if action is Action.DISCARD_SAVE:
        return WrongState(f"{name} is {state.label}: it has no saved memory")
    if state is VMState.OFF:
        return WrongState(f"{name} is off: nothing to {action.value}", hint=shell_command("realms vms start", name))
    if state is VMState.CRASHED:
        return WrongState(f"{name} has crashed: turn it off first", hint=shell_command("realms vms off", name))
    if (action in _NEED_CPUS and state in _HELD) or (action is Action.PAUSE and state is VMState.SUSPENDED):
        return WrongState(f"{name} is {state.value}: resume it first", hint=shell_command("realms vms resume", name))
    return None


def act(
    session: Session,
    control: Control,
    target: Target,
    action: Action,
    *,
    timeout: float = SHUTDOWN_SECONDS,
    force: bool = False,
    wait: bool = True,
) -> Done:
    """Do something to one VM, and wait until its host shows it.

    A shutdown has `timeout` seconds; past it the VM is turned off with `force`, else NotShutDown is raised. Raises
    DriverError, Cancelled, WrongState, NotAsWished, StorageFailed.
    """
    rule = _RULES[action]
    state, was_failed = _state_now(session, target)
    if state in rule.already:
        return Done(target, changed=False, state=state)
    if action is Action.REBOOT and state in _HELD:  # libvirt takes it, and the guest never hears of it
        resume = shell_command("realms vms resume", target.name)
        raise WrongState(f"{target.name} is {state.value}: resume it first", hint=resume)
    host, uuid = target.host.name, target.vm.uuid
    with control.step(StepKind.CONTROL, f"{action.value} {target.vm.name}", host, vm=target.vm.name) as step:
        before = session.clock.now()
        try:
            if action is Action.SAVE:  # as long as writing its memory takes
                with HostAccess(session, target.host) as access:
                    access.via_own_connection(_command(action, state, uuid))
                run_in_lane(session, host, lambda _: None)  # its host is looked at after each command
            else:
                run_in_lane(session, host, _command(action, state, uuid))
        except (HostUnreachable, HostTimeout):
            raise
        except DriverError as error:
            raise _wrong_state(target, action, state) or error from error
        seconds = timeout if action is Action.SHUTDOWN else SEEN_SECONDS
        if not wait:
            return Done(target, state=None)
        if action is Action.RESUME and was_failed:  # it stops again at once, or goes on for good
            control.wait(STEADY_SECONDS)
            before = session.clock.now()
            run_in_lane(session, host, lambda _: None)  # its host is looked at after each command
        seen = await_state(
            session, control, target, rule.then, after=before, seconds=seconds, needs_storage=rule.needs_storage
        )
        if seen in rule.then:
            return Done(target, state=seen)
        if action is not Action.SHUTDOWN:
            if seen not in (None, VMState.UNKNOWN):
                hint = f"on {host}: /var/log/libvirt/qemu/{target.vm.name}.log may show why"
                raise NotAsWished(f"{target.name} is still {seen}, or {seen} again", hint=hint)
            step.detail("not yet confirmed by its host")
            return Done(target, state=seen)
        if not force:
            message = f"{target.name} was asked to shut down {timeout:g} s ago, and is still {seen or 'there'}"
            raise NotShutDown(message, hint="use realms vms off, or shutdown --force to force it off after the timeout")
    with control.step(StepKind.STOP, f"turn {target.vm.name} off: it did not shut down", host, vm=target.vm.name):
        return act(session, control, target, Action.OFF)


def _command(action: Action, state: VMState, uuid: str) -> Callable[[HostConnection], object]:
    match action:
        case Action.SHUTDOWN:
            return lambda connection: connection.shut_down(uuid)
        case Action.REBOOT:
            return lambda connection: connection.reboot(uuid)
        case Action.RESET:
            return lambda connection: connection.reset(uuid)
        case Action.PAUSE:
            return lambda connection: connection.pause(uuid)
        case Action.RESUME if state is VMState.SUSPENDED:
            return lambda connection: wake(connection, uuid)
        case Action.RESUME:
            return lambda connection: connection.resume(uuid)
        case Action.OFF:
            return lambda connection: stop_domain(connection, uuid)
        case Action.SAVE:
            return lambda connection: save_memory(connection, uuid)
        case Action.DISCARD_SAVE:
            return lambda connection: discard_saved_memory(connection, uuid)


def _state_now(session: Session, target: Target) -> tuple[VMState, bool]:
    """Return a VM's state, and whether it is paused because its storage has failed."""
    snapshot = session.fleet().host(target.host.name)
    vm = next((vm for vm in snapshot.vms if vm.uuid == target.vm.uuid), None) if snapshot is not None else None
    if snapshot is None or vm is None:
        raise DriverError(target.host.name, f"{target.vm.name} no longer exists", hint="see realms vms list")
    return snapshot.state_of(vm), vm.state_reason == IO_ERROR


def await_state(
    session: Session,
    control: Control,
    target: Target,
    states: Collection[VMState],
    *,
    after: float,
    seconds: float,
    needs_storage: bool = False,
) -> VMState | None:
    """Wait until a snapshot newer than a moment shows a VM in one of these states, at most so many seconds.

    Gives the state as last seen, None where it was not seen; a VM that is gone (one that was not stored) is off.
    Raises Cancelled, and with `needs_storage` StorageFailed as soon as it is seen paused because that fails.
    """
    watch, clock = session.connect(), session.clock
    until = clock.monotonic() + seconds
    while True:
        state = _seen(session, target, after, needs_storage=needs_storage)
        rest = until - clock.monotonic()
        if state in states or rest <= 0:
            return state
        generation = watch.generation
        watch.wait(lambda _, seen=generation: watch.generation != seen, min(rest, 0.5))  # type: ignore[misc]
        control.check()


def _seen(session: Session, target: Target, after: float, *, needs_storage: bool) -> VMState | None:
    snapshot = session.fleet().host(target.host.name)
    if snapshot is None or snapshot.observed_at is None or snapshot.observed_at < after:
        return None
    vm = next((vm for vm in snapshot.vms if vm.uuid == target.vm.uuid), None)
    if vm is None:
        return VMState.OFF
    state = snapshot.state_of(vm)
    if needs_storage and state is VMState.PAUSED and vm.state_reason == IO_ERROR:
        message = f"{target.name} is paused: its storage is full or failed"
        raise StorageFailed(message, hint="free space, then resume it; see realms pools status")
    return state


def on_each_host(
    control: Control, targets: Sequence[Target], job: Callable[[Control, Target], Done], *, at_once: int = MOST_AT_ONCE
) -> tuple[Done, ...]:
    """Do a job for each VM, on all hosts at once and for so many VMs of each. Gives what came of each VM, in order.

    Errors of the house are in what is given, and what such a job had done is undone. Raises Cancelled at the end
    where a job was.
    """

    def one(target: Target) -> Done:
        branch = control.branch()
        try:
            return job(branch, target)
        except BaseException:
            branch.undo_all()
            raise

    done = dict(as_they_come(targets, one, limit=at_once, host_of=lambda target: target.host.name))
    outcomes = [
        Done(target, changed=False, error=outcome) if isinstance(outcome := done[number], RealmsError) else outcome
        for number, target in enumerate(targets)
    ]
    cancelled = next((done.error for done in outcomes if isinstance(done.error, Cancelled)), None)
    if cancelled is not None and all(done.error is not None for done in outcomes):
        raise cancelled
    return tuple(outcomes)
