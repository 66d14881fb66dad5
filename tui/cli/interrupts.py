"""Ctrl-C while a task works: a key, not a signal.

The terminal would send the signal to the ssh clients of all connections too, and a task could not undo anything
without them.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
import termios
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CTRL_C = b"\x03"
_LOCAL_FLAGS, _SPECIAL_KEYS = 3, 6


@contextlib.contextmanager
def interrupts() -> Iterator[Callable[[], bool]]:
    """Take Ctrl-C as a key within the block; gives what tells whether it has been pressed since it was asked last.

    Where there is no terminal, or the program works in its background, nothing changes: signals are signals.
    """
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
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _terminal() -> int | None:
    try:
        terminal = sys.stdin.fileno()
        return terminal if os.isatty(terminal) and os.tcgetpgrp(terminal) == os.getpgrp() else None
    except (OSError, ValueError, AttributeError):  # standard input is closed, or was replaced by something else
        return None


def _pressed(terminal: int) -> bool:
    pressed = False
    while select.select([terminal], [], [], 0)[0]:
        keys = os.read(terminal, 1024)
        if not keys:
            break
        pressed = pressed or _CTRL_C in keys
    return pressed
