"""How long a lane waits for an answer: when a host counts as silent, and when to call it anew."""

import contextlib
from collections import deque
from collections.abc import Callable, Iterator

from core.clock import Clock
from core.driver.connection.alarms import Alarm, Alarms

SILENT_AFTER_POLLS = 2.5
"""Polls after the last answer at which a host counts as silent: before its data are too old to place by."""

SHORTEST_SILENCE = 2.0
"""Seconds that any call may take before the host counts as silent, however often it is polled."""

TIMES_ITS_USUAL = 3.0
"""A host that always takes its time may take this many times as long before it counts as silent: slow is not sick."""

REMEMBERED = 3
"""Blocks whose slowest answers tell what is usual: the middle one, so that a single one that hung tells nothing."""


class Patience:
    """Watches over the calls of one lane. `tell` and `call_anew` are called in the alarms' thread.

    `tell` gets the seconds since the last answer. `call_anew` has to free the lane from the call that it waits in, and
    says whether it could.
    """

    def __init__(
        self, clock: Clock, alarms: Alarms, tell: Callable[[float], None], call_anew: Callable[[], bool]
    ) -> None:
        self.told = False
        """Whether the host was said to be silent in the present or the last block."""
        self.cut_off = False
        """Whether the lane was freed from a call; stays until it is taken back."""
        self._clock = clock
        self._alarms = alarms
        self._tell = tell
        self._call_anew = call_anew
        self._alarm: Alarm | None = None
        self._heard_at = clock.monotonic()
        self._asked_at = self._heard_at
        self._poll_frequency = 0.0
        self._cut_after: float | None = None
        self._slowest = 0.0
        self._remembered: deque[float] = deque(maxlen=REMEMBERED)

    @property
    def usual(self) -> float:
        """Seconds that the host usually takes to answer; 0 before the first answers that were learned from."""
        return sorted(self._remembered)[len(self._remembered) // 2] if self._remembered else 0.0

    @contextlib.contextmanager
    def expecting(
        self, poll_frequency: float, cut_after: float | None = None, *, learn: bool = False
    ) -> Iterator[None]:
        """Watch over the calls of a block; a single one that takes `cut_after` seconds is left, where that is possible.

        With `learn` the block tells what is usual.
        """
        self.told, self._slowest = False, 0.0
        self._poll_frequency, self._cut_after = poll_frequency, cut_after
        self._asked_at = self._clock.monotonic()
        self._set_alarm()
        try:
            yield
            self.heard()
            if learn:
                self._remembered.append(self._slowest)
        finally:
            while (alarm := self._alarm) is not None:
                alarm.cancel()  # where it rings at this moment it may put another in its place
                if alarm is self._alarm:
                    self._alarm = None

    def heard(self) -> None:
        """Take note of an answer; what is asked next has its own time."""
        now = self._clock.monotonic()
        self._slowest = max(self._slowest, now - self._asked_at)
        self._heard_at = self._asked_at = now

    def _silent_at(self) -> float:
        shortest = max(SHORTEST_SILENCE, TIMES_ITS_USUAL * self.usual)
        return max(self._heard_at + SILENT_AFTER_POLLS * self._poll_frequency, self._asked_at + shortest)

    def _set_alarm(self) -> None:
        moments = [] if self.told else [self._silent_at()]
        if self._cut_after is not None:
            moments.append(self._asked_at + self._cut_after)
        if moments:
            self._alarm = self._alarms.after(min(moments) - self._clock.monotonic(), self._ring)

    def _ring(self) -> None:
        now = self._clock.monotonic()
        if not self.told and now >= self._silent_at():
            self.told = True
            self._tell(now - self._heard_at)
        if self._cut_after is not None and now >= self._asked_at + self._cut_after:
            self._cut_after = None
            self.cut_off = self._call_anew() or self.cut_off
        self._set_alarm()
