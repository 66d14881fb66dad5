"""Room on the stack for blocks nested to the scanner's limit; Python's own limit ends at about 100 levels."""

import contextlib
import sys
import threading
from collections.abc import Iterator

_FRAMES = 12_000
"""Frames that reading, and computing with, what is nested 400 levels deep may take."""

_lock = threading.Lock()
_readers = 0
_limit_before = 0


@contextlib.contextmanager
def deep_recursion() -> Iterator[None]:
    """Raise the recursion limit while at least one thread reads; Python has one limit for all threads."""
    global _readers, _limit_before  # noqa: PLW0603 - what is counted is the state of the interpreter itself
    with _lock:
        if _readers == 0:
            _limit_before = sys.getrecursionlimit()
            sys.setrecursionlimit(max(_limit_before, _FRAMES))
        _readers += 1
    try:
        yield
    finally:
        with _lock:
            _readers -= 1
            if _readers == 0:
                sys.setrecursionlimit(_limit_before)


def keep_deep_recursion() -> None:
    """Leave the limit raised for good: curves nested deeply are compared and computed as deeply, later on."""
    global _limit_before  # noqa: PLW0603 - as above
    with _lock:
        _limit_before = max(_limit_before, _FRAMES)
