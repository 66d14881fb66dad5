"""Waiting for real machines: they take the time they take, so the lab asks again until they are there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def eventually(probe: Callable[[], T | None], what: str, seconds: float = 30.0, every: float = 0.1) -> T:
    """Return what the probe answers as soon as that is true; AssertionError names what didn't come within the time."""
    deadline = time.monotonic() + seconds
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            message = f"waited {seconds:g} s in vain: {what}"
            raise AssertionError(message)
        time.sleep(every)
