"""VMs paused, resumed, rebooted, shut down, turned off; many at once, each on its host (specification, section 9)."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from core.errors import Cancelled, DriverError, RealmsError
from core.fleet import VMState
from core.operations.host_access import in_lane

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from core.driver.connection import HostConnection
    from core.operations.tasks import Control
    from core.operations.vm_targets import Target
    from core.operations.workplace import Workplace

T = TypeVar("T")

SEEN_SECONDS = 15.0
"""Seconds to wait until a host's snapshot shows what was done."""

SHUTDOWN_SECONDS = 120.0
"""Seconds that a VM has to shut itself down where nobody says otherwise."""

MOST_AT_ONCE = 64
"""VMs of one host that are waited for at the same time."""

STARTS_AT_ONCE = 4
"""VMs of one host that are started at the same time: each has a connection of its own, and sshd refuses crowds."""

_ANY = frozenset(VMState)
_OFF = frozenset({VMState.OFF})
_RUNS = frozenset({VMState.RUNNING})


class NotShutDown(RealmsError):
    """A VM was asked to shut itself down, and still runs."""


class Action(StrEnum):
    """What is done to a VM as it is."""

    SHUTDOWN = "shutdown"
    REBOOT = "reboot"
    RESET = "reset"
    PAUSE = "pause"
    RESUME = "resume"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an action on one VM: `changed` False where it was so already; its state as seen then."""

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


_RULES = {
    Action.SHUTDOWN: _Rule(_OFF, _OFF),
    Action.REBOOT: _Rule(frozenset(), _ANY),
    Action.RESET: _Rule(frozenset(), _ANY),
    Action.PAUSE: _Rule(frozenset({VMState.PAUSED}), frozenset({VMState.PAUSED})),
    Action.RESUME: _Rule(_RUNS, _RUNS),
    Action.OFF: _Rule(_OFF, _OFF),
}


def act(
    workplace: Workplace,
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
    DriverError, Cancelled.
    """
    rule = _RULES[action]
    state = _state_now(workplace, target)
    if state in rule.already:
        return Done(target, changed=False, state=state)
    host, uuid = target.host.name, target.vm.uuid
    with control.step(f"{action.value} {target.vm.name}", host) as step:
        before = workplace.clock.now()
        in_lane(workplace, host, _command(action, state, uuid))
        seconds = timeout if action is Action.SHUTDOWN else SEEN_SECONDS
        if not wait:
            return Done(target, state=None)
        seen = await_state(workplace, control, target, rule.then, after=before, seconds=seconds)
        if seen in rule.then:
            return Done(target, state=seen)
        if action is not Action.SHUTDOWN:
            step.detail("done, but its host has not shown it yet")
            return Done(target, state=seen)
        if not force:
            message = f"{target.name} was asked to shut down {timeout:g} s ago, and is still {seen or 'there'}"
            raise NotShutDown(message, hint="realms vms off cuts its power; shutdown --force does so past the timeout")
    with control.step(f"turn {target.vm.name} off: it did not shut down", host):
        return act(workplace, control, target, Action.OFF)


def _command(action: Action, state: VMState, uuid: str) -> Callable[[HostConnection], object]:
    from core.driver.domain_control import stop_domain, wake

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


def _state_now(workplace: Workplace, target: Target) -> VMState:
    snapshot = workplace.fleet().host(target.host.name)
    vm = next((vm for vm in snapshot.vms if vm.uuid == target.vm.uuid), None) if snapshot is not None else None
    if snapshot is None or vm is None:
        raise DriverError(target.host.name, f"{target.vm.name} is not there any more", hint="see realms vms list")
    return snapshot.state_of(vm)


def await_state(
    workplace: Workplace,
    control: Control,
    target: Target,
    states: Collection[VMState],
    *,
    after: float,
    seconds: float,
) -> VMState | None:
    """Wait until a snapshot newer than a moment shows a VM in one of these states, at most so many seconds.

    Gives the state as last seen, None where it was not seen; a VM that is gone (one that was not stored) is off.
    """
    watch, clock = workplace.connect(), workplace.clock
    until = clock.monotonic() + seconds
    while True:
        state = _seen(workplace, target, after)
        rest = until - clock.monotonic()
        if state in states or rest <= 0:
            return state
        generation = watch.generation
        watch.wait(lambda _, seen=generation: watch.generation != seen, min(rest, 0.5))  # type: ignore[misc]
        control.check()


def _seen(workplace: Workplace, target: Target, after: float) -> VMState | None:
    snapshot = workplace.fleet().host(target.host.name)
    if snapshot is None or snapshot.observed_at is None or snapshot.observed_at < after:
        return None
    vm = next((vm for vm in snapshot.vms if vm.uuid == target.vm.uuid), None)
    return VMState.OFF if vm is None else snapshot.state_of(vm)


def on_each_host(
    control: Control, targets: Sequence[Target], job: Callable[[Control, Target], Done], *, at_once: int = MOST_AT_ONCE
) -> tuple[Done, ...]:
    """Do a job for each VM, on all hosts at once and for so many VMs of each. Gives what came of each VM, in order.

    Errors of the house are in what is given, and what such a job had done is undone. Raises Cancelled at the end
    where a job was.
    """
    waiting: dict[str, deque[int]] = {}
    for number, target in enumerate(targets):
        waiting.setdefault(target.host.name, deque()).append(number)
    outcomes = [Done(target, changed=False, error=RealmsError("internal error")) for target in targets]

    def work(numbers: deque[int]) -> None:
        while True:
            try:
                number = numbers.popleft()
            except IndexError:
                return
            branch = control.branch()
            try:
                outcomes[number] = job(branch, targets[number])
            except RealmsError as error:
                branch.undo_all()
                outcomes[number] = Done(targets[number], changed=False, error=error)

    threads = [
        threading.Thread(target=work, args=(numbers,), name=f"VMs of {host}", daemon=True)
        for host, numbers in waiting.items()
        for _ in range(min(at_once, len(numbers)))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cancelled = next((done.error for done in outcomes if isinstance(done.error, Cancelled)), None)
    if cancelled is not None and all(done.error is not None for done in outcomes):
        raise cancelled
    return tuple(outcomes)
