"""Many hosts at the same time."""

from __future__ import annotations

import threading

import pytest

from core.errors import HostTimeout
from core.operations.at_once import at_once
from tests.driver.worlds import LONG


def test_results_come_in_the_order_of_the_items() -> None:
    """Whoever is ready first; none is no problem."""
    first_may_end = threading.Event()

    def work(number: int) -> int:
        if number == 0:
            first_may_end.wait(LONG)
        else:
            first_may_end.set()
        return number * 2

    assert at_once(work, [0, 1], 2) == (0, 2)
    assert at_once(work, [], 2) == ()


def test_no_more_than_the_limit_work_at_a_time() -> None:
    """All are done in the end."""
    working, most, lock = [0], [0], threading.Lock()

    def work(number: int) -> int:
        with lock:
            working[0] += 1
            most[0] = max(most[0], working[0])
        with lock:
            working[0] -= 1
        return number

    assert at_once(work, range(50), 3) == tuple(range(50))
    assert most[0] <= 3


def test_what_one_raises_is_raised() -> None:
    """After the others have been begun."""

    def work(number: int) -> int:
        if number == 1:
            raise HostTimeout("h1", "no answer")
        return number

    with pytest.raises(HostTimeout, match="h1: no answer"):
        at_once(work, [0, 1, 2], 2)
