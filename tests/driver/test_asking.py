"""A host asked with a deadline."""

from __future__ import annotations

import threading
from queue import SimpleQueue

import pytest

from core.driver.connection.asking import answer_within
from core.errors import Cancelled, DriverError, HostTimeout, HostUnreachable
from tests.driver.worlds import LONG


def test_an_answer_and_an_error_are_passed_on() -> None:
    """As they are."""

    def refuse() -> None:
        raise HostUnreachable("h1", "connection refused")

    assert answer_within("h1", LONG, lambda: 7) == 7
    with pytest.raises(HostUnreachable, match="h1: connection refused"):
        answer_within("h1", LONG, refuse)


def test_what_comes_too_late_is_handed_over_for_being_closed() -> None:
    """Nobody else has it any more."""
    answers = threading.Event()
    dropped: SimpleQueue[str] = SimpleQueue()

    def work() -> str:
        answers.wait(LONG)
        return "connection"

    with pytest.raises(HostTimeout, match=r"h1: no answer within 0\.01 s at qemu:///system"):
        answer_within("h1", 0.01, work, uri="qemu:///system", too_late=dropped.put)
    answers.set()
    assert dropped.get(timeout=LONG) == "connection"


def test_a_question_is_withdrawn() -> None:
    """Long before its deadline."""
    stop, hang = threading.Event(), threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        answer_within("h1", LONG, lambda: hang.wait(LONG), stop)
    hang.set()


def test_a_defect_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its trace goes to the threads' hook."""
    traces: SimpleQueue[threading.ExceptHookArgs] = SimpleQueue()
    monkeypatch.setattr(threading, "excepthook", traces.put)
    with pytest.raises(DriverError, match="h1: internal error"):
        answer_within("h1", LONG, lambda: 1 // 0)
    assert traces.get(timeout=LONG).exc_type is ZeroDivisionError
