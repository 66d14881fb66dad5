"""How long a lane waits for an answer, in real time: what it does is to wait."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from core.clock import SystemClock
from core.driver.connection.alarms import Alarms
from core.driver.lanes.patience import SHORTEST_SILENCE, TIMES_ITS_USUAL, Patience

from .worlds import LONG

if TYPE_CHECKING:
    from collections.abc import Iterator


class Waiting:
    """A patience, and what it told."""

    def __init__(self, alarms: Alarms) -> None:
        self.silent_for: list[float] = []
        self.told = threading.Event()
        self.left = threading.Event()
        self.patience = Patience(SystemClock(), alarms, self._tell, self._leave)

    def _tell(self, seconds: float) -> None:
        self.silent_for.append(seconds)
        self.told.set()

    def _leave(self) -> bool:
        self.left.set()
        return True

    def answer_after(self, seconds: float) -> None:
        """Take so long for an answer that tells what is usual."""
        with self.patience.expecting(60.0, learn=True):
            threading.Event().wait(seconds)


@pytest.fixture
def waiting() -> Iterator[Waiting]:
    """Return one whose alarms really ring."""
    alarms = Alarms(SystemClock())
    yield Waiting(alarms)
    alarms.close()


def test_silence_is_told_once_and_the_call_is_left_at_its_time(waiting: Waiting) -> None:
    """Both while the call still waits."""
    started = time.monotonic()
    with waiting.patience.expecting(0.1, SHORTEST_SILENCE + 0.3):
        assert waiting.told.wait(LONG)
        assert time.monotonic() - started >= SHORTEST_SILENCE
        assert waiting.left.wait(LONG)
    assert len(waiting.silent_for) == 1
    assert waiting.patience.told
    assert waiting.patience.cut_off


def test_answers_within_a_block_start_the_time_anew(waiting: Waiting) -> None:
    """Many calls, each of which is answered, may take long."""
    with waiting.patience.expecting(0.1):
        for _ in range(4):
            waiting.told.wait(SHORTEST_SILENCE / 3)
            waiting.patience.heard()
    assert not waiting.patience.told


def test_what_is_usual_is_not_learned_from_a_single_answer(waiting: Waiting) -> None:
    """One that hung says nothing; a host that always takes its time gets it."""
    for seconds in (0.01, 0.5, 0.01):
        waiting.answer_after(seconds)
    assert waiting.patience.usual < 0.3
    for _ in range(2):
        waiting.answer_after(SHORTEST_SILENCE / TIMES_ITS_USUAL + 0.2)
    assert waiting.patience.usual > SHORTEST_SILENCE / TIMES_ITS_USUAL


def test_an_answer_in_time_says_nothing(waiting: Waiting) -> None:
    """Nor does the alarm ring afterwards."""
    with waiting.patience.expecting(0.1, 0.2):
        pass
    assert not waiting.left.wait(0.5)
    assert not waiting.patience.cut_off
