"""A deadline for opening a connection: libvirt's `open` has none, and blocks as long as the other side is silent."""

import threading
from collections.abc import Callable
from types import TracebackType

from core.driver.connection.alarms import Alarm, Alarms
from core.driver.connection.process import end_ssh_children, waits_for_an_answer
from core.errors import DriverError, HostTimeout, HostUnreachable
from core.text import one_line

NETWORK_PATIENCE = 8.0
"""Seconds after which an ssh client that no machine has answered is ended, to call again.

Linux repeats an unanswered call at growing intervals, 32 seconds in the end: a host that is back would go unnoticed.
A machine that has answered, however slowly, has until the deadline.
"""

AFTER_THE_END = 5.0
"""Seconds that libvirt has to notice the end of its ssh client."""


class Opening:
    """A block in which the current thread opens a connection.

    Past the deadline the ssh client of this very thread is ended, which frees it. A thread that has none can't be
    freed: `give_up` is called, in the alarms' thread, and the block may end much later, or never.
    """

    def __init__(self, host: str, uri: str, deadline: float, alarms: Alarms, give_up: Callable[[], None]) -> None:
        self._host = host
        self._uri = one_line(uri)
        self._deadline = deadline
        self._alarms = alarms
        self._give_up = give_up
        self._thread_id = 0
        self._over: list[Alarm] = []
        self._lock = threading.Lock()
        self._done = False
        self._ended_because: DriverError | None = None

    def __enter__(self) -> None:
        self._thread_id = threading.get_native_id()
        self._over.append(self._alarms.after(self._deadline, self._past_deadline))
        self._over.append(self._alarms.after(NETWORK_PATIENCE, self._look_at_network))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._done = True
        for alarm in self._over:
            alarm.cancel()
        if self._ended_because is not None and isinstance(error, DriverError):
            raise self._ended_because from error

    def _past_deadline(self) -> None:
        error = HostTimeout(
            self._host,
            f"no answer within {self._deadline:g} s at {self._uri}",
            hint="is libvirtd hung? On the host: systemctl status libvirtd",
        )
        if not self._end_ssh(error):
            self._give_up()
            return
        with self._lock:
            if not self._done:
                self._over[0] = self._alarms.after(AFTER_THE_END, self._past_deadline)

    def _look_at_network(self) -> None:
        if waits_for_an_answer(self._thread_id):
            message = f"no machine answers at {self._uri}"
            self._end_ssh(
                HostUnreachable(self._host, message, hint="check that the host is up and the network is working")
            )
        with self._lock:
            if not self._done:
                self._over[1:] = [self._alarms.after(NETWORK_PATIENCE, self._look_at_network)]

    def _end_ssh(self, error: DriverError) -> bool:
        self._ended_because = error
        if end_ssh_children(self._thread_id):
            return True
        self._ended_because = None
        return False
