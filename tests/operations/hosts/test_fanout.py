"""Many hosts at the same time."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING

import pytest

from core.errors import Cancelled, HostTimeout
from core.hosts import Host
from core.operations.hosts.fanout import Crew, as_they_come, first, map_hosts, map_items
from tests.driver.worlds import LONG

if TYPE_CHECKING:
    from collections.abc import Iterator

H0, H1, H2 = HOSTS = tuple(
    Host(name=f"h{number}", realm="main", uri="test:///default", profile="small") for number in range(3)
)


@pytest.fixture
def hang() -> Iterator[threading.Event]:
    """Return what a host that hangs waits for; it is freed at the end."""
    event = threading.Event()
    yield event
    event.set()


def test_results_are_in_order_whoever_is_ready_first() -> None:
    """None is no problem."""
    others_are_done = threading.Event()

    def work(number: int) -> int:
        if number == 0:
            assert others_are_done.wait(LONG)
        else:
            others_are_done.set()
        return number * 2

    assert map_items([0, 1], work) == (0, 2)
    assert map_items([], work) == ()


def test_results_come_as_soon_as_they_are_there(hang: threading.Event) -> None:
    """One that hangs holds up none of the others."""
    coming = as_they_come(HOSTS, lambda host: host is H1 and hang.wait(LONG))
    assert {next(coming)[0], next(coming)[0]} == {0, 2}
    hang.set()
    assert list(coming) == [(1, True)]


class Gauge:
    """Counts how many work at the same time, at most, of each kind."""

    def __init__(self) -> None:
        self.most: Counter[str] = Counter()
        self._now: Counter[str] = Counter()
        self._lock = threading.Lock()

    def work(self, kind: str) -> None:
        """Work for a moment."""
        with self._lock:
            self._now[kind] += 1
            self.most[kind] = max(self.most[kind], self._now[kind])
        with self._lock:
            self._now[kind] -= 1


def test_no_more_than_the_limit_work_at_a_time() -> None:
    """All are done in the end."""
    gauge = Gauge()
    assert map_items(range(200), lambda _: gauge.work("any"), limit=3) == (None,) * 200
    assert gauge.most["any"] <= 3


def test_the_limit_may_be_one_for_each_host() -> None:
    """Those of one host wait for each other, and for nobody else."""
    both_work = threading.Barrier(2)
    gauge = Gauge()

    def work(name: str) -> None:
        gauge.work(name[0])
        if name in ("a0", "b0"):
            both_work.wait(LONG)

    names = [f"{host}{number}" for host in "ab" for number in range(50)]
    assert len(list(as_they_come(names, work, limit=1, host_of=lambda name: name[0]))) == 100
    assert gauge.most == {"a": 1, "b": 1}


def test_an_error_is_the_answer_of_its_host_alone() -> None:
    """The others have theirs."""

    def work(host: Host) -> str:
        if host is H1:
            raise HostTimeout("h1", "no answer")
        return host.name

    answers = map_hosts(HOSTS, work)
    assert [(answer.host, answer.value, str(answer.error or "")) for answer in answers] == [
        (H0, "h0", ""), (H1, None, "h1: no answer"), (H2, "h2", ""),
    ]  # fmt: skip


def test_what_one_raises_is_raised() -> None:
    """Where the results make no sense without each other."""
    begun = []

    def work(number: int) -> None:
        begun.append(number)
        if number == 1:
            raise HostTimeout("h1", "no answer")

    with pytest.raises(HostTimeout, match="h1: no answer"):
        map_items([0, 1, 2], work, limit=1)
    assert begun[:2] == [0, 1]


def test_a_cancelled_task_is_told_when_all_have_ended() -> None:
    """Nothing goes on behind its back."""
    ended = []

    def work(host: Host) -> None:
        ended.append(host)
        if host is H0:
            raise Cancelled("asked to end")

    with pytest.raises(Cancelled, match="asked to end"):
        map_hosts(HOSTS, work, limit=1)
    assert ended == [H0, H1, H2]


def test_nobody_waits_for_ever_for_a_job_that_has_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    """The jobs behind it are done, even with a single thread; its trace goes to the threads' hook."""
    traces: SimpleQueue[threading.ExceptHookArgs] = SimpleQueue()
    monkeypatch.setattr(threading, "excepthook", traces.put)
    answers = map_hosts(HOSTS, lambda host: 1 // (host is not H0), limit=1)
    assert [answer.value for answer in answers] == [None, 1, 1]
    assert "internal error" in str(answers[0].error)
    assert traces.get(timeout=LONG).exc_type is ZeroDivisionError


def test_the_first_answer_is_taken_without_waiting_for_the_others(hang: threading.Event) -> None:
    """A failure is no answer."""

    def work(host: Host) -> str:
        if host is H0:
            raise HostTimeout("h0", "no answer")
        if host is H1:
            hang.wait(LONG)
        return host.name

    assert first(HOSTS, work) == (H2, "h2")
    with pytest.raises(HostTimeout, match="h0: no answer"):
        first([H0], work)


def test_a_task_that_is_told_to_end_waits_for_no_answer(hang: threading.Event) -> None:
    """It asks while nothing comes."""

    def check() -> None:
        raise Cancelled("asked to end")

    with pytest.raises(Cancelled, match="asked to end"):
        first(HOSTS, lambda _: hang.wait(LONG), check=check)


def test_an_interrupt_waits_for_no_host_and_begins_nothing_more(hang: threading.Event) -> None:
    """As Ctrl+C does it."""
    begun = []
    main = threading.main_thread().ident
    assert main is not None

    def work(host: Host) -> None:
        begun.append(host)
        signal.pthread_kill(main, signal.SIGINT)
        hang.wait(LONG)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    try:
        with pytest.raises(KeyboardInterrupt):
            map_hosts(HOSTS, work, limit=1)
    finally:
        signal.signal(signal.SIGINT, before)
    hang.set()
    assert begun == [H0]


def test_a_crew_takes_jobs_at_any_time() -> None:
    """Nobody has to wait for them; those that have not begun can be withdrawn."""
    crew, may_end = Crew(1), threading.Event()
    done: list[str] = []
    ended = threading.Event()
    crew.do(partial(may_end.wait, LONG))
    crew.do(partial(done.append, "withdrawn"))
    crew.withdraw()
    crew.do(partial(done.append, "done"))
    crew.do(ended.set)
    may_end.set()
    assert ended.wait(LONG)
    assert done == ["done"]
    ended.clear()
    crew.do(ended.set)
    assert ended.wait(LONG)
