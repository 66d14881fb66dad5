"""The lane of one host: a thread that owns the host's one connection and tells what it sees.

A lane serves one URI. It opens the connection, polls, listens to events, carries out commands one at a time, and opens
again when the connection is lost. Nobody ever waits for it: it is a daemon thread, it is told by its mailbox, and
what it publishes is dropped when it is no longer the lane of its host.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from concurrent.futures import Future, InvalidStateError
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import libvirt

from core.driver.compose import Setting, compose_vms, resettle
from core.driver.connection import HostConnection, open_connection
from core.driver.embedded import lend, let_go
from core.driver.errors import unreachable
from core.driver.events import Subscription
from core.driver.mailbox import Command, ConnectionLost, DomainChanged, Mailbox, Message, Notice
from core.driver.opening import Opening
from core.driver.pools import realm_pools
from core.driver.session import Session
from core.errors import DriverError, HostUnreachable
from core.fleet import Connection, HostSnapshot
from core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.clock import Clock
    from core.driver.alarms import Alarm, Alarms

_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())  # without any handler Python prints to standard error, which is the screen

FIRST_WAIT, LONGEST_WAIT = 1.0, 12.0
"""Seconds between attempts to connect: doubled each time, so that a host is back within 15 s of its recovery."""

EVENTS_GATHER = 0.1
"""Seconds for which events are gathered before they cause one poll: a host that starts 50 VMs tells 50 times."""

EVENTS_APART = 0.5
"""Seconds between two polls that events have caused."""

SHORTEST_PATIENCE = 15.0
"""Seconds that a poll may take before the host counts as not answering, also where it is polled more often."""

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
        """Give a random number between 0 and 1."""

    def publish(self, lane: Lane, setting: Setting, snapshot: HostSnapshot) -> None:
        """Make a snapshot the newest of the host, unless lane or setting have been replaced meanwhile."""

    def give_up(self, lane: Lane) -> None:
        """Go on without a lane whose thread can't be freed from opening its connection."""

    def ended(self, lane: Lane) -> None:
        """Learn that the lane's thread is done."""


class Lane:
    """One host's lane. Made with the newest snapshot of the host, whose data it keeps until it has newer ones."""

    def __init__(self, surroundings: Surroundings, setting: Setting, snapshot: HostSnapshot, failures: int = 0) -> None:
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
        self._session: Session | None = None
        self._silence: Alarm | None = None
        self._told_silence = False
        self._heard_at = 0.0
        """Monotonic time at which the host last answered a call, or the lane last had none under way."""
        self._commands: list[Command] = []
        self._commands_lock = threading.Lock()
        self.thread = threading.Thread(target=self._run, name=f"lane {self.name}", daemon=True)

    def stop(self) -> None:
        """Tell the lane to end; returns at once. Its commands are to be failed by who tells it."""
        self.stopped = True
        self.mailbox.put(Notice.STOP)

    def submit(self, command: Command) -> None:
        """Queue a command; it waits for a connection where there is none, and fails with the next attempt."""
        with self._commands_lock:
            self._commands.append(command)
        self.mailbox.put(Notice.WAKE)

    def fail_commands(self, error: DriverError) -> None:
        """Give every command that has no outcome yet this one."""
        with self._commands_lock:
            commands, self._commands = self._commands, []
        for command in commands:
            settle(command.outcome, error=error)

    def _run(self) -> None:
        try:
            if self.failures:
                self._pause()
            while True:
                self._attempt()
                self._pause()
        except Stopped:
            pass
        finally:
            self.fail_commands(HostUnreachable(self.name, "the connection is closed"))
            self._surroundings.ended(self)

    def _attempt(self) -> None:
        """Connect and serve until the connection is lost; raises Stopped."""
        connected_at, reason = None, ""
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
            reason = _reason(error)
        except Exception as error:  # noqa: BLE001 -- the lane's outer loop: a bug must not end the watch in silence
            _log.exception("lane of %s", self.name)
            reason = one_line(f"internal error: {type(error).__name__}: {error}")
        healthy = connected_at is not None and self._clock.monotonic() - connected_at >= HEALTHY_AFTER
        self.failures = 1 if healthy else self.failures + 1
        self._check()
        self._publish(Connection.UNREACHABLE, reason)
        self.fail_commands(HostUnreachable(self.name, reason))

    def _open(self) -> HostConnection:
        surroundings, uri = self._surroundings, self.setting.host.uri
        with Opening(
            self.name, uri, surroundings.open_deadline, surroundings.alarms, lambda: surroundings.give_up(self)
        ):
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
        with self._expecting_answers():
            subscription = Subscription(connection, self.mailbox)
        try:
            session = Session(connection, self._clock, self._check, self._session)
            with self._expecting_answers():
                session.introduce()
            while True:
                started = self._clock.monotonic()
                with self._expecting_answers():
                    session.poll()
                self._session = session
                self._publish(Connection.CONNECTED)
                with self._expecting_answers():
                    found = session.look_up_addresses(self._goes_on)
                if found or self._told_silence:
                    self._publish(Connection.CONNECTED)
                self._wait_for_poll(session, subscription, started)
        finally:
            subscription.end()

    @contextlib.contextmanager
    def _expecting_answers(self) -> Iterator[None]:
        """Have it told where a call in the block gets no answer for long."""
        self._told_silence = False
        self._heard_at = self._clock.monotonic()
        self._silence = self._alarm_for_silence(self._patience())
        try:
            yield
        finally:
            while (alarm := self._silence) is not None:
                alarm.cancel()  # where it rings at this moment it may put another in its place
                if alarm is self._silence:
                    self._silence = None

    def _patience(self) -> float:
        return max(SHORTEST_PATIENCE, self.setting.realm.stale_after)

    def _alarm_for_silence(self, seconds: float) -> Alarm:
        return self._surroundings.alarms.after(seconds, self._tell_silence)

    def _tell_silence(self) -> None:
        """Say that a call gets no answer while it still waits; called by the alarms' thread.

        Many calls, each of which is answered, may take longer.
        """
        patience = self._patience()
        quiet = self._clock.monotonic() - self._heard_at
        if quiet < patience:
            self._silence = self._alarm_for_silence(patience - quiet)
            return
        self._told_silence = True
        setting, error = self.setting, f"connected, but no answer for {patience:.0f} s; still waiting"
        silent = replace(self._snapshot, host=setting.host, connection=Connection.UNREACHABLE, error=error)
        self._surroundings.publish(self, setting, silent)

    def _wait_for_poll(self, session: Session, subscription: Subscription, started: float) -> None:
        """Handle what comes in until the next poll is due, which commands and events bring forward."""
        ended = self._clock.monotonic()
        hurried = float("inf")
        while True:
            frequency = self.setting.realm.poll_frequency
            # A host that takes longer to answer than the time between two polls gets some rest in between all the same.
            due = min(hurried, max(started + frequency, ended + frequency / 4))
            now = self._clock.monotonic()
            messages = self._take(due - now) if due > now else ()
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
                self._carry_out(command, connection)
            with self._commands_lock:
                if self._commands and self._commands[0] is command:
                    del self._commands[0]
            done = True
            if not connection.is_alive():
                raise unreachable(self.name, self.setting.host.uri, "the connection was lost during a command")

    def _carry_out(self, command: Command, connection: HostConnection) -> None:
        try:
            value = command.what(connection)
        except libvirt.libvirtError as error:
            settle(command.outcome, error=connection.failed(error, "carry out a command"))
        except Exception as error:  # noqa: BLE001 -- belongs to whoever submitted the command, not to the lane
            settle(command.outcome, error=error)
        else:
            settle(command.outcome, value=value)

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
        self._heard_at = self._clock.monotonic()
        return not self.stopped

    def _check(self) -> None:
        if not self._goes_on():
            raise Stopped


def settle(outcome: Future[Any], *, value: Any = None, error: Exception | None = None) -> None:
    """Give a command its outcome, unless it has one."""
    with contextlib.suppress(InvalidStateError):
        if error is not None:
            outcome.set_exception(error)
        else:
            outcome.set_result(value)


def _reason(error: DriverError) -> str:
    """Say why there is no connection, without the name of the host: it stands beside."""
    text = str(error).removeprefix(f"{error.host}: ")
    return one_line(text)
