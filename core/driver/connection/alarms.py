"""Things to do at a later moment, by one daemon thread: the deadlines of calls that know none themselves."""

import heapq
import itertools
import threading
from collections.abc import Callable

from core.clock import Clock
from core.guard import guarded


class Alarm:
    """Something that will be done unless it is cancelled before."""

    __slots__ = ("_action", "_lock")

    def __init__(self, action: Callable[[], None]) -> None:
        self._lock = threading.Lock()
        self._action: Callable[[], None] | None = action

    @property
    def is_cancelled(self) -> bool:
        """Whether nothing will happen any more."""
        return self._action is None

    def cancel(self) -> None:
        """Forget it; where it is being done at this moment, return only after that."""
        with self._lock:
            self._action = None

    def ring(self) -> None:
        """Do it now, once."""
        with self._lock:
            action, self._action = self._action, None
            if action is not None:
                action()


class Alarms:
    """Rings alarms at their time. Actions must be short and never wait for a host."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._pending: list[tuple[float, int, Alarm]] = []
        self._order = itertools.count()
        self._thread: threading.Thread | None = None
        self._closed = False

    def after(self, seconds: float, action: Callable[[], None]) -> Alarm:
        """Do something in so many seconds."""
        alarm = Alarm(action)
        with self._changed:
            while self._pending and self._pending[0][2].is_cancelled:  # most are, long before their time
                heapq.heappop(self._pending)
            heapq.heappush(self._pending, (self._clock.monotonic() + seconds, next(self._order), alarm))
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="alarms", daemon=True)
                self._thread.start()
            if self._pending[0][2] is alarm:  # else the thread wakes early enough
                self._changed.notify()
        return alarm

    def close(self) -> None:
        """Forget all alarms and end the thread."""
        with self._changed:
            self._closed = True
            self._pending.clear()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._closed and not self._is_due():
                    self._changed.wait(self._pending[0][0] - self._clock.monotonic() if self._pending else None)
                if self._closed:
                    return
                alarm = heapq.heappop(self._pending)[2]
            with guarded("an alarm"):
                alarm.ring()

    def _is_due(self) -> bool:
        return bool(self._pending) and self._pending[0][0] <= self._clock.monotonic()
