"""Ctrl-C while a task works, and other requests to end: noted, and acted upon when the task can.

On a terminal Ctrl-C is a key then and not a signal: the terminal would send the signal to the ssh clients of all
connections too, and a task could not undo anything without them.
"""

import contextlib
import os
import select
import signal
import sys
import termios
import threading
from collections.abc import Callable, Iterator

_CTRL_C = b"\x03"
_LOCAL_FLAGS, _SPECIAL_KEYS = 3, 6


@contextlib.contextmanager
def interrupts() -> Iterator[Callable[[], bool]]:
    """Note requests to end within the block; gives what tells whether there was one since it was asked last.

    They are Ctrl-C, and the signals to interrupt, to terminate, and that the terminal is gone, unless the program was
    started to ignore them.
    """
    noted = threading.Event()
    with _signals(noted), _keys() as pressed:

        def asked() -> bool:
            was_noted = noted.is_set()
            noted.clear()
            return pressed() or was_noted

        yield asked


@contextlib.contextmanager
def _signals(noted: threading.Event) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # signals are not its business
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, lambda *_: noted.set())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _keys() -> Iterator[Callable[[], bool]]:
    terminal = _terminal()
    if terminal is None:
        yield lambda: False
        return
    before = termios.tcgetattr(terminal)
    settings = termios.tcgetattr(terminal)
    # Keys come at once and are not shown. Ctrl-Z and Ctrl-\ stay what they are.
    settings[_LOCAL_FLAGS] &= ~(termios.ICANON | termios.ECHO)
    settings[_SPECIAL_KEYS][termios.VINTR] = b"\0"
    termios.tcsetattr(terminal, termios.TCSADRAIN, settings)
    try:
        yield lambda: _pressed(terminal)
    finally:
        with contextlib.suppress(termios.error):  # the terminal is gone
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _terminal() -> int | None:
    try:
        terminal = sys.stdin.fileno()
        return terminal if os.isatty(terminal) and os.tcgetpgrp(terminal) == os.getpgrp() else None
    except (OSError, ValueError, AttributeError):  # standard input is closed, or was replaced by something else
        return None


def _pressed(terminal: int) -> bool:
    pressed = False
    with contextlib.suppress(OSError):  # the terminal is gone
        while select.select([terminal], [], [], 0)[0] and (keys := os.read(terminal, 1024)):
            pressed = pressed or _CTRL_C in keys
    return pressed
