"""Time as an argument, so that a test can hold the world still."""

import time
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> float:
        """Seconds since the epoch: for what is stored or shown."""

    def monotonic(self) -> float:
        """Seconds that never jump: for deadlines and rates."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment, never set back."""
        return time.monotonic()


@dataclass(slots=True)
class FixedClock:
    """A clock that stands until it is moved by hand."""

    seconds: float = 1_795_341_600.0  # 2026-11-22T10:00:00Z

    def now(self) -> float:
        """Return the moment at which the clock stands."""
        return self.seconds

    def monotonic(self) -> float:
        """Return the same moment: a clock moved by hand never jumps by itself."""
        return self.seconds

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self.seconds += seconds
