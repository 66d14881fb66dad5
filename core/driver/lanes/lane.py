"""The lane of one host: a thread that owns the host's one connection and tells what it sees.

A lane serves one URI. It opens the connection, polls, listens to events, carries out commands one at a time, and opens
again when the connection is lost. Nobody ever waits for it: it is a daemon thread, it is told by its mailbox, and
what it publishes is dropped when it is no longer the lane of its host.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from dataclasses import replace
from math import inf
from typing import Any, Protocol

import libvirt

from core.clock import Clock
from core.driver.connection.alarms import Alarms
from core.driver.connection.connection import HostConnection, open_connection
from core.driver.connection.embedded import lend, let_go
from core.driver.connection.errors import unreachable
from core.driver.connection.opening import Opening
from core.driver.connection.process import end_ssh_children
from core.driver.lanes.compose import HostSetting, compose_vms, resettle
from core.driver.lanes.events import Subscription
from core.driver.lanes.mailbox import ConnectionLost, DomainChanged, LaneCommand, Mailbox, Message, Notice
from core.driver.lanes.patience import Patience
from core.driver.lanes.session import HostPoller
from core.driver.storage.pools import realm_pools
from core.errors import DriverError, HostUnreachable
from core.fleet.fleet import Connection, HostSnapshot
from core.guard import message_of
from core.text import one_line

_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())  # without any handler Python prints to standard error, which is the screen

FIRST_WAIT, LONGEST_WAIT = 1.0, 10.0
"""Seconds between attempts to connect: doubled each time, so that a host is back within 15 s of its recovery."""

EVENTS_GATHER = 0.1
"""Seconds for which events are gathered before they cause one poll: a host that starts 50 VMs tells 50 times."""

EVENTS_APART = 0.5
"""Seconds between two polls that events have caused."""

SHORTEST_CUT, LONGEST_CUT = 3.0, 10.0
"""Seconds that a poll may last, however often or seldom the host is polled, before the lane leaves it and calls anew.

A VM whose QEMU is stuck holds up the answer for all, forever; a new connection is told of the others.
"""

CUT_LOOKUPS, CUT_COMMANDS = 30.0, 90.0
"""The same for pools and a look-up of an address, and for a command, which nobody waits for any longer then."""

CAREFUL_SECONDS = 600.0
"""Seconds for which a host that has held up a poll is asked in calls that no VM can hold up."""

CPU_TIME_SHARE = 0.1
"""Part of the time between two polls that may go into asking VMs for their CPU time one by one."""

HEALTHY_AFTER = 30.0
"""Seconds of service after which a lost connection is tried again as if it were the first time."""


class Stopped(Exception):
    """The lane's host is gone, disabled, or served by another lane now."""


class Surroundings(Protocol):
    """What a lane needs of the watch that it belongs to."""

    clock: Clock
    alarms: Alarms
    open_deadline: float

    def jitter(self) -> float:
        """Return a random number between 0 and 1."""

    def publish(self, lane: Lane, setting: HostSetting, snapshot: HostSnapshot) -> None:
        """Make a snapshot the newest of the host, unless lane or setting have been replaced meanwhile."""

    def give_up(self, lane: Lane) -> None:
        """Go on without a lane whose thread can't be freed from opening its connection."""

    def ended(self, lane: Lane) -> None:
        """Learn that the lane's thread is done."""


class Lane:
    """One host's lane. Made with the newest snapshot of the host, whose data it keeps until it has newer ones."""

    def __init__(
        self, surroundings: Surroundings, setting: HostSetting, snapshot: HostSnapshot, failures: int = 0
    ) -> None:
        self.name = setting.host.name
        self.setting = setting
        """Replaced by the watch, never by the lane."""
        self.mailbox = Mailbox()
        self.stopped = False
        self.failures = failures
        """Attempts to connect that have failed one after the other."""
        self._surroundings = surroundings
        self._clock = surroundings.clock
        self._snapshot = snapshot
        self._session: HostPoller | None = None
        self._patience = Patience(self._clock, surroundings.alarms, self._tell_silence, self._call_anew)
        self._careful_until = -inf
        """Monotonic time up to which no VM's monitor is asked."""
        self._commands: list[LaneCommand] = []
        self._commands_lock = threading.Lock()
        self.thread = threading.Thread(target=self._run, name=f"lane {self.name}", daemon=True)

    def stop(self) -> None:
        """Tell the lane to end; returns at once. Its commands are to be failed by who tells it."""
        self.stopped = True
        self.mailbox.put(Notice.STOP)

    def submit(self, command: LaneCommand) -> None:
        """Queue a command; it waits for a connection where there is none, and fails with the next attempt."""
        with self._commands_lock:
            self._commands.append(command)
        self.mailbox.put(Notice.WAKE)

    def fail_commands(self, error: DriverError) -> None:
        """Give every command that has no outcome yet this one."""
        with self._commands_lock:
            commands, self._commands = self._commands, []
        for command in commands:
            resolve(command.outcome, error=error)

    def _run(self) -> None:
        try:
            if self.failures:
                self._pause()
            while True:
                if not self._attempt():
                    self._pause()
        except Stopped:
            pass
        finally:
            self.fail_commands(HostUnreachable(self.name, "the connection is closed"))
            self._surroundings.ended(self)

    def _attempt(self) -> bool:
        """Connect and serve until the connection is lost; tell whether to call anew at once. Raises Stopped."""
        connected_at, reason = None, ""
        self._patience.cut_off = False
        try:
            connection = self._open()
            try:
                connected_at = self._clock.monotonic()
                self._serve(connection)
            finally:
                self._carry_over(connection)
        except Stopped:
            raise
        except DriverError as error:
            reason = one_line(error.bare)
        except Exception as error:  # noqa: BLE001 -- the lane's outer loop: a bug must not end the watch in silence
            _log.exception("lane of %s", self.name)
            reason = message_of(error)
        if connected_at is not None and self._patience.cut_off and self._clock.monotonic() >= self._careful_until:
            self._careful_until = self._clock.monotonic() + CAREFUL_SECONDS
            self._check()
            return True
        healthy = connected_at is not None and self._clock.monotonic() - connected_at >= HEALTHY_AFTER
        self.failures = 1 if healthy else self.failures + 1
        self._check()
        self._publish(Connection.UNREACHABLE, reason)
        self.fail_commands(HostUnreachable(self.name, reason))
        return False

    def _open(self) -> HostConnection:
        surroundings, uri = self._surroundings, self.setting.host.uri
        opening = Opening(
            self.name, uri, surroundings.open_deadline, surroundings.alarms, lambda: surroundings.give_up(self)
        )
        with self._patience.expecting(self._poll_frequency), opening:
            connection = open_connection(self.name, uri)
        if self.stopped:
            connection.close()
        self._check()
        lend(connection)
        return connection

    def _carry_over(self, connection: HostConnection) -> None:
        if self._session is not None:
            self._session.detach()  # libvirt keeps a connection open as long as any object of it is held
        let_go(connection)

    def _serve(self, connection: HostConnection) -> None:
        expecting, patience = self._patience.expecting, self._patience
        with expecting(self._poll_frequency):
            subscription = Subscription(connection, self.mailbox)
        try:
            with expecting(self._poll_frequency, learn=True):
                session = self._new_session(connection)
            was_silent = False
            while True:
                started = self._clock.monotonic()
                session.sampler.asks_monitors = self._may_ask_monitors(connection)
                with expecting(self._poll_frequency, self._cut_poll_after(), learn=True):
                    session.poll()
                self._session = session
                was_silent = patience.told and not was_silent
                if was_silent:  # what was asked before the silence is old by now: ask again before it is shown as new
                    continue
                self._publish(Connection.CONNECTED)
                with expecting(self._poll_frequency, CUT_LOOKUPS):
                    found = not session.addresses_asked
                    found = session.refresh_pools() or found
                    found = session.look_up_addresses(self._until(started + self._poll_frequency)) or found
                was_told = patience.told
                if found and not was_told:
                    self._publish(Connection.CONNECTED)
                self._wait_for_poll(session, subscription, started, poll_at_once=was_told)
        finally:
            subscription.end()

    def _new_session(self, connection: HostConnection) -> HostPoller:
        cpu_seconds = CPU_TIME_SHARE * self._poll_frequency
        session = HostPoller(connection, self._clock, self._check_between_calls, self._session, cpu_seconds=cpu_seconds)
        session.introduce()
        return session

    def _may_ask_monitors(self, connection: HostConnection) -> bool:
        """Whether a poll may make a call that a stuck VM holds up: only where the lane can leave it."""
        return connection.uri.uses_ssh_program and self._clock.monotonic() >= self._careful_until

    @property
    def _poll_frequency(self) -> float:
        return self.setting.realm.poll_frequency

    def _cut_poll_after(self) -> float | None:
        if self._clock.monotonic() < self._careful_until:
            return None
        usual = LONGEST_CUT if self._session is None else 4 * self._patience.usual
        return max(usual, min(LONGEST_CUT, max(SHORTEST_CUT, 0.6 * self._poll_frequency)))

    def _call_anew(self) -> bool:
        """End the ssh client of the lane, which frees it from its call; called by the alarms' thread."""
        return self.thread.native_id is not None and end_ssh_children(self.thread.native_id) > 0

    def _tell_silence(self, seconds: float) -> None:
        """Say that a host that was connected gives no answer; called by the alarms' thread while the lane waits."""
        if self._snapshot.connection is Connection.CONNECTED:
            setting, error = self.setting, f"no answer for {seconds:.0f} s; still waiting"
            silent = replace(self._snapshot, host=setting.host, connection=Connection.UNREACHABLE, error=error)
            self._surroundings.publish(self, setting, silent)

    def _wait_for_poll(
        self, session: HostPoller, subscription: Subscription, started: float, *, poll_at_once: bool = False
    ) -> None:
        """Handle what comes in until the next poll is due, which commands and events bring forward.

        Where it is due at once, what has come in by now is still handled: look-ups that last would hold
        commands up forever else.
        """
        ended = self._clock.monotonic()
        hurried = 0.0 if poll_at_once else float("inf")
        while True:
            frequency = self.setting.realm.poll_frequency
            # A host that takes longer to answer than the time between two polls still gets some rest in between.
            due = min(hurried, max(started + frequency, ended + frequency / 4))
            now = self._clock.monotonic()
            messages = self._take(max(0.0, due - now)) if poll_at_once or due > now else ()
            poll_at_once = False
            for message in messages:
                match message:
                    case DomainChanged():
                        session.note(message)
                        hurried = min(hurried, max(self._clock.monotonic() + EVENTS_GATHER, started + EVENTS_APART))
                    case Notice.POOLS_CHANGED:
                        session.list_pools_again()
                        hurried = min(hurried, max(self._clock.monotonic() + EVENTS_GATHER, started + EVENTS_APART))
                    case Notice.SETTLED:
                        self._publish(Connection.CONNECTED)
                    case ConnectionLost(reason, token) if token is subscription.token:
                        raise unreachable(self.name, self.setting.host.uri, reason)
                    case _:
                        pass
            if self._carry_out_commands(session.connection):
                hurried = 0.0
            if not messages:
                return

    def _carry_out_commands(self, connection: HostConnection) -> bool:
        """Do what was submitted, one after the other; tell whether there was anything. Raises when the host is lost."""
        done = False
        while True:
            self._check()
            with self._commands_lock:
                if not self._commands:
                    return done
                command = self._commands[0]
            if command.outcome.set_running_or_notify_cancel():
                with self._patience.expecting(self._poll_frequency, CUT_COMMANDS):
                    self._carry_out(command, connection)
            with self._commands_lock:
                if self._commands and self._commands[0] is command:
                    del self._commands[0]
            done = True
            if not connection.is_alive():
                raise unreachable(self.name, self.setting.host.uri, "the connection was lost during a command")

    def _carry_out(self, command: LaneCommand, connection: HostConnection) -> None:
        try:
            value = command.what(connection)
        except libvirt.libvirtError as error:
            resolve(command.outcome, error=connection.failed(error, "carry out a command"))
        except Exception as error:  # noqa: BLE001 -- belongs to whoever submitted the command, not to the lane
            resolve(command.outcome, error=error)
        else:
            resolve(command.outcome, value=value)

    def _publish(self, connection: Connection, error: str = "") -> None:
        setting, session = self.setting, self._session
        if session is None or session.observed_at is None:
            vms = resettle(setting, self._snapshot.vms)
            snapshot = replace(self._snapshot, host=setting.host, connection=connection, error=error, vms=vms)
        else:
            snapshot = HostSnapshot(
                host=setting.host,
                connection=connection,
                observed_at=session.observed_at,
                vms=compose_vms(setting, session, self._snapshot.vms),
                pools=None if session.pools is None else realm_pools(setting.realm, session.pools),
                error=error,
                machine_uuid=session.machine_uuid,
                addresses_asked=session.addresses_asked,
            )
        self._snapshot = snapshot
        self._surroundings.publish(self, setting, snapshot)

    def _pause(self) -> None:
        """Wait before the next attempt: longer each time, and not at the same moment as the lanes of other hosts."""
        longest = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(10, self.failures - 1))
        until = self._clock.monotonic() + longest * (0.5 + 0.5 * self._surroundings.jitter())
        while (rest := until - self._clock.monotonic()) > 0:
            messages = self._take(rest)
            if Notice.SETTLED in messages:
                self._publish(Connection.UNREACHABLE, self._snapshot.error)
            with self._commands_lock:
                if self._commands or not messages:
                    return

    def _take(self, timeout: float) -> tuple[Message, ...]:
        messages = self.mailbox.take(timeout)
        self._check()
        return messages

    def _goes_on(self) -> bool:
        self._patience.heard()
        return not self.stopped

    def _until(self, moment: float) -> Callable[[], bool]:
        """Make what says whether another VM's address may be looked up: one always, more until the next poll is due.

        A command that waits comes first: each look-up may take the seconds that libvirt gives a guest's agent.
        """
        numbers = itertools.count()

        def go_on() -> bool:
            in_time = self._clock.monotonic() < moment and not self._commands
            return self._goes_on() and (next(numbers) == 0 or in_time)

        return go_on

    def _check_between_calls(self) -> None:
        if not self._goes_on():
            raise Stopped

    def _check(self) -> None:
        if self.stopped:
            raise Stopped


def resolve(outcome: Future[Any], *, value: Any = None, error: Exception | None = None) -> None:
    """Give a command its outcome, unless it has one."""
    with contextlib.suppress(InvalidStateError):
        if error is not None:
            outcome.set_exception(error)
        else:
            outcome.set_result(value)
