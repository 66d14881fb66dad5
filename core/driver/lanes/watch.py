"""The watch over all hosts: a lane for each, and the newest snapshot of each (specification, section 7)."""

import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import TypeVar

from core.clock import Clock
from core.driver.connection.alarms import Alarms
from core.driver.connection.connection import HostConnection
from core.driver.connection.process import end_ssh_children
from core.driver.lanes.compose import HostSetting, resettle
from core.driver.lanes.lane import Lane, resolve
from core.driver.lanes.mailbox import LaneCommand, Notice
from core.errors import HostUnreachable, UnknownHost
from core.fleet.fleet import Connection, Fleet, HostSnapshot
from core.hosts import Host
from core.realms import Realm

T = TypeVar("T")

LANES_PER_HOST = 2
"""Threads that one host may have: the present one, and one that is stuck in a call and can't be freed."""

GRACE = 1.5
"""Seconds that a lane has to end by itself before its ssh client is ended."""

BY_THEMSELVES = 0.3
"""Part of the time for closing that lanes have to end by themselves: those that wait for a sick host don't."""


class FleetWatch:
    """Watches hosts. All methods may be called from any thread; none but `wait` ever waits for a host."""

    def __init__(self, clock: Clock, *, randomness: random.Random | None = None, open_deadline: float = 60.0) -> None:
        self.clock = clock
        self.alarms = Alarms(clock)
        self.open_deadline = open_deadline
        self._randomness = randomness or random.Random()  # noqa: S311 -- spreads attempts to connect
        self._changed = threading.Condition(threading.RLock())
        self._snapshots: dict[str, HostSnapshot] = {}
        self._newest: tuple[HostSnapshot, ...] | None = ()
        self._generation = 0
        self._lanes: dict[str, Lane] = {}
        """The lane of each host that is to be connected, in use or waiting for its turn in `_held`."""
        self._held: dict[str, Lane] = {}
        """Lanes not started yet: their hosts have as many threads as they may."""
        self._alive: dict[str, list[Lane]] = {}
        """Lanes whose threads run, those that are ending or stuck included."""
        self._retired: list[tuple[Lane, str]] = []
        """Lanes that have been told to end, and why; their commands have not been told yet."""
        self._closed = False

    @property
    def generation(self) -> int:
        """A number that grows with every change of a snapshot."""
        return self._generation

    def set_hosts(self, hosts: Sequence[Host], realms: Mapping[str, Realm]) -> None:
        """Watch these hosts, in this order, from now on; what has changed about a host is obeyed at once.

        A host that is disabled, or whose realm is disabled or unknown, has no connection (OFF), and its data are
        dropped.
        """
        with self._changed:
            if self._closed:
                return
            wanted = {host.name: host for host in hosts}
            for name in self._snapshots.keys() - wanted.keys():
                self._retire(name, "the host was removed")
            before, self._snapshots = self._snapshots, {}
            for name, host in wanted.items():
                realm = realms.get(host.realm)
                reason = _why_off(host, realm)
                if reason or realm is None:
                    self._retire(name, reason)
                    self._snapshots[name] = HostSnapshot(host=host, connection=Connection.OFF, error=reason)
                else:
                    self._snapshots[name] = self._settle(HostSetting(host, realm), before.get(name))
            self._tell()
        self._fail_commands_of_retired()

    def snapshots(self) -> tuple[HostSnapshot, ...]:
        """Return the newest snapshot of each host, in the order of set_hosts; never blocks."""
        with self._changed:
            if self._newest is None:
                self._newest = tuple(self._snapshots.values())
            return self._newest

    def fleet(self) -> Fleet:
        """Return the newest snapshots as a fleet of this moment."""
        return Fleet(self.clock.now(), self.snapshots())

    def wait(self, satisfied: Callable[[Fleet], bool], timeout: float) -> Fleet:
        """Wait until a fleet satisfies, at most so many seconds; give the newest fleet in either case."""
        until = time.monotonic() + timeout  # a condition waits in real seconds, whatever clock the fleet has
        while True:
            with self._changed:
                generation, fleet = self._generation, self.fleet()
            if satisfied(fleet):  # outside of the lock: lanes go on publishing meanwhile
                return fleet
            with self._changed:
                rest = until - time.monotonic()
                if self._closed or rest <= 0:
                    return fleet
                if self._generation == generation:
                    self._changed.wait(rest)

    def submit(self, host: str, what: Callable[[HostConnection], T]) -> Future[T]:
        """Have something done on a host's connection, in its lane, after what was submitted before.

        The future's result is what `what` gives, or DriverError. Without a connection the next attempt to connect is
        made at once, and decides. A command that runs when its host is disabled is not stopped: its outcome is
        then HostUnreachable, and what became of it unknown.
        """
        outcome: Future[T] = Future()
        with self._changed:
            lane, snapshot = self._lanes.get(host), self._snapshots.get(host)
            if lane is not None:
                lane.submit(LaneCommand(what, outcome))
                return outcome
        if snapshot is None:
            resolve(outcome, error=UnknownHost(f"host {host!r} is not monitored"))
        else:
            resolve(outcome, error=HostUnreachable(host, snapshot.error or "there is no connection"))
        return outcome

    def close(self, timeout: float = 0.5) -> None:
        """End all lanes, waiting at most `timeout` seconds in all; those that are stuck are left behind."""
        with self._changed:
            self._closed = True
            lanes = [lane for alive in self._alive.values() for lane in alive]
            for name in tuple(self._lanes):
                self._retire(name, "the program ends")
            self._changed.notify_all()
        self._fail_commands_of_retired()
        self.alarms.close()
        now = time.monotonic()
        _join(lanes, now + timeout * BY_THEMSELVES)
        for lane in lanes:
            _end_ssh(lane)
        _join(lanes, now + timeout)

    def jitter(self) -> float:
        """Return a random number between 0 and 1."""
        return self._randomness.random()

    def publish(self, lane: Lane, setting: HostSetting, snapshot: HostSnapshot) -> None:
        """Make a lane's snapshot the newest of its host, unless lane or setting have been replaced meanwhile."""
        with self._changed:
            if self._lanes.get(lane.name) is lane and lane.setting is setting and not self._closed:
                self._snapshots[lane.name] = snapshot
                self._tell()

    def give_up(self, lane: Lane) -> None:
        """Go on without a lane that is stuck in opening its connection; called by the alarms' thread."""
        with self._changed:
            if self._lanes.get(lane.name) is not lane or self._closed:
                return
            error = f"no answer within {self.open_deadline:g} s"
            snapshot = replace(self._snapshots[lane.name], connection=Connection.UNREACHABLE, error=error)
            self._snapshots[lane.name] = snapshot
            if len(self._alive.get(lane.name, ())) < LANES_PER_HOST:
                lane.stop()
                self._start(Lane(self, lane.setting, snapshot, failures=lane.failures + 1))
            self._tell()
        lane.fail_commands(HostUnreachable(lane.name, error))

    def ended(self, lane: Lane) -> None:
        """Learn that a lane's thread is done; a lane that had to wait for it can start."""
        with self._changed:
            alive = self._alive.get(lane.name, [])
            if lane in alive:
                alive.remove(lane)
            if not alive:
                self._alive.pop(lane.name, None)
            held = self._held.pop(lane.name, None)
            if held is not None:
                self._start(held)

    def _settle(self, setting: HostSetting, before: HostSnapshot | None) -> HostSnapshot:
        """Return a host's lane its setting, or the host a new lane; give the host's snapshot from now on."""
        lane, host = self._lanes.get(setting.host.name), setting.host
        if lane is None or before is None or lane.setting.host.uri != host.uri:
            self._retire(host.name, "the host's URI was changed")
            snapshot = HostSnapshot(host=host, connection=Connection.CONNECTING)
            self._start(Lane(self, setting, snapshot))
            return snapshot
        if lane.setting == setting:
            return before
        lane.setting = setting
        lane.mailbox.put(Notice.SETTLED)
        return replace(before, host=host, vms=resettle(setting, before.vms))

    def _start(self, lane: Lane) -> None:
        self._lanes[lane.name] = lane
        alive = self._alive.setdefault(lane.name, [])
        if len(alive) < LANES_PER_HOST:
            alive.append(lane)
            lane.thread.start()
        else:
            self._held[lane.name] = lane

    def _retire(self, name: str, reason: str) -> None:
        """End a host's lane, if it has one, without waiting for it."""
        lane = self._lanes.pop(name, None)
        self._held.pop(name, None)
        if lane is not None:
            lane.stop()
            self._retired.append((lane, reason))
            if not self._closed:
                self.alarms.after(GRACE, lambda: _end_ssh(lane))

    def _fail_commands_of_retired(self) -> None:
        """Fail commands without holding the lock: whoever waits for them may want the newest snapshots at once."""
        with self._changed:
            retired, self._retired = self._retired, []
        for lane, reason in retired:
            lane.fail_commands(HostUnreachable(lane.name, reason or "the connection was closed"))

    def _tell(self) -> None:
        self._newest = None
        self._generation += 1
        self._changed.notify_all()


def _join(lanes: Iterable[Lane], until: float) -> None:
    for lane in lanes:
        lane.thread.join(max(0.0, until - time.monotonic()))


def _why_off(host: Host, realm: Realm | None) -> str:
    if realm is None:
        return f"realm {host.realm} is not configured"
    if realm.disabled:
        return f"realm {host.realm} is disabled"
    return "" if host.state.connects else "the host is disabled"


def _end_ssh(lane: Lane) -> None:
    """Free a lane that has not ended by itself, where an ssh client is what it waits for."""
    if lane.thread.is_alive() and lane.thread.native_id is not None:
        end_ssh_children(lane.thread.native_id)
