"""Ends the application well where it can't end itself: signals, a terminal that is gone, a stuck thread."""

import os
import select
import signal
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LAST_RESORT_SECONDS = 0.8
"""How long a quit may take before the process is ended under threads that hang in a library."""

_LEAVE_FULL_SCREEN = (
    b"\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?2004l\x1b[?2048l\x1b[<u\x1b[?1049l\x1b[?25h\x1b[0m"
)


class ExitGuard:
    """Holds what is needed to give the terminal back, whatever the application does."""

    def __init__(self) -> None:
        self._saved: list[object] | None = None
        self._timer: threading.Timer | None = None
        try:
            self._saved = termios.tcgetattr(sys.stdin.fileno())
        except (OSError, ValueError, termios.error):  # no terminal: nothing to give back
            self._saved = None

    def arm(self, code: int) -> None:
        """End the process after LAST_RESORT_SECONDS unless it has ended by then; the terminal is restored first."""
        if self._timer is None:
            self._timer = threading.Timer(LAST_RESORT_SECONDS, self._end, (code,))
            self._timer.daemon = True
            self._timer.start()

    def disarm(self) -> None:
        """Call off the last resort: the process goes on after all."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self, code: int) -> None:
        self.restore()
        os._exit(code)

    def restore(self) -> None:
        """Leave the full screen without waiting for a terminal that doesn't read."""
        if self._saved is None:
            return
        descriptor = sys.__stdout__.fileno() if sys.__stdout__ is not None else 1
        try:
            if select.select([], [descriptor], [], 0)[1]:
                os.write(descriptor, _LEAVE_FULL_SCREEN)
            termios.tcsetattr(sys.stdin.fileno(), termios.TCSANOW, self._saved)  # type: ignore[arg-type]
        except (OSError, ValueError, termios.error):  # the terminal is gone
            return

    @contextmanager
    def signals(self, ended: Callable[[int], None]) -> Iterator[None]:
        """Turn SIGTERM and SIGHUP into an orderly end; a second signal, or a stuck one, ends the process at once."""

        def end(number: int, _frame: object) -> None:
            code = 128 + number
            if self._timer is not None:
                self._end(code)
            self.arm(code)
            ended(code)

        before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def terminal_is_gone() -> bool:
    """Whether the other side of the terminal has hung up: without this a lost terminal keeps a processor busy."""
    try:
        poll = select.poll()
        poll.register(sys.__stdin__.fileno() if sys.__stdin__ is not None else 0, 0)
        return any(events & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, events in poll.poll(0))
    except (OSError, ValueError):
        return False
