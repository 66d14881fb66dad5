"""Another program in the foreground: it gets the terminal, and we get it back as it was."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

_ITS_OWN = (signal.SIGINT, signal.SIGQUIT)
"""What the terminal's keys send to all of the foreground: it is for the other program alone."""

_PASSED_ON = (signal.SIGTERM, signal.SIGHUP)


def run_in_foreground(arguments: Sequence[str]) -> int:
    """Run a program with our terminal and wait for its end; gives its exit code, 128 + N where signal N ended it.

    The main thread's alone, as signals are. What ends us ends it first. However it ends, the terminal's settings are
    put back: a program that was killed in raw mode leaves a line that shows nothing. Raises OSError where the program
    can't be started.
    """
    with _terminal_kept(), _signals_left_to_it():
        process = subprocess.Popen(tuple(arguments))
        for number in _PASSED_ON:
            signal.signal(number, lambda received, _frame: process.send_signal(received))
        code = process.wait()
    return code if code >= 0 else 128 - code


@contextlib.contextmanager
def _signals_left_to_it() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (*_ITS_OWN, *_PASSED_ON)}
    for number in _ITS_OWN:
        # A handler that does nothing: unlike an ignored signal it isn't inherited by the program that is started.
        signal.signal(number, lambda _received, _frame: None)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _terminal_kept() -> Iterator[None]:
    import termios

    kept: list[tuple[int, list[Any]]] = []
    for stream in (sys.stdin, sys.stdout):
        with contextlib.suppress(termios.error, OSError, ValueError):
            if os.isatty(stream.fileno()):
                kept.append((stream.fileno(), termios.tcgetattr(stream.fileno())))
    try:
        yield
    finally:
        for descriptor, settings in kept:
            with contextlib.suppress(termios.error, OSError):
                termios.tcsetattr(descriptor, termios.TCSADRAIN, settings)
