"""Many hosts asked at the same time, in daemon threads: an interrupt never waits for one that hangs."""

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from core.errors import Cancelled, RealmsError
from core.hosts import Host

S = TypeVar("S")
T = TypeVar("T")

AT_ONCE = 32
"""Hosts that are asked at the same time: each may have an ssh client of its own."""

CHECK_SECONDS = 0.2
"""How soon a wait for answers notices an interrupt, or that nobody wants the answers any more."""


@dataclass(frozen=True, slots=True)
class HostResult(Generic[T]):
    """What came of a job on one host: a value, or the error that was met."""

    host: Host
    value: T | None = None
    error: RealmsError | None = None


class Crew:
    """Daemon threads that do jobs, up to `limit` of them at a time; there are none while there is nothing to do."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: deque[Callable[[], object]] = deque()
        self._threads = 0
        self._lock = threading.Lock()

    def do(self, job: Callable[[], object]) -> None:
        """Have a job done as soon as a thread is free; returns at once."""
        with self._lock:
            self._waiting.append(job)
            if self._threads < self._limit:
                self._start()
                self._threads += 1

    def withdraw(self) -> None:
        """Forget the jobs that have not begun."""
        with self._lock:
            self._waiting.clear()

    def _start(self) -> None:
        threading.Thread(target=self._work, name="job on a host", daemon=True).start()

    def _work(self) -> None:
        try:
            while (job := self._next()) is not None:
                job()
        except BaseException:  # a defect: its trace goes to the threads' hook, and another thread does the rest
            self._start()
            raise

    def _next(self) -> Callable[[], object] | None:
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._threads -= 1
            return None


def as_they_come(
    items: Sequence[S],
    job: Callable[[S], T],
    *,
    limit: int = AT_ONCE,
    host_of: Callable[[S], str] | None = None,
    check: Callable[[], object] | None = None,
) -> Generator[tuple[int, T | RealmsError], None, None]:
    """Do a job for each item, up to `limit` at a time; yield the item's number and its result as soon as it is there.

    With `host_of` the limit is one for each host. An error of the house is a result, and a defect is one too. `check`
    is called while nothing comes: what it raises ends the wait. Jobs that have not begun by the end never do.
    """
    answers: SimpleQueue[tuple[int, T | RealmsError]] = SimpleQueue()
    crews: defaultdict[str, Crew] = defaultdict(partial(Crew, limit))

    def work(number: int, item: S) -> None:
        outcome: T | RealmsError = RealmsError("internal error: run again with REALMS_TRACEBACK=1")
        try:
            outcome = job(item)
        except RealmsError as error:
            outcome = error
        finally:
            answers.put((number, outcome))

    try:
        for number, item in enumerate(items):
            crews[host_of(item) if host_of is not None else ""].do(partial(work, number, item))
        for _ in items:
            yield _await(answers, check)
    finally:
        for crew in crews.values():
            crew.withdraw()


def _await(answers: SimpleQueue[T], check: Callable[[], object] | None) -> T:
    while True:  # without a timeout, an interrupt that comes just before the wait begins is seen only after it
        try:
            return answers.get(timeout=CHECK_SECONDS)
        except Empty:
            if check is not None:
                check()


def map_hosts(hosts: Sequence[Host], job: Callable[[Host], T], *, limit: int = AT_ONCE) -> tuple[HostResult[T], ...]:
    """Do a job for each host, up to `limit` at a time; return the answers in the order of the hosts.

    Raises Cancelled when all have ended, where one of them was; other errors of the house are answers.
    """
    answers: dict[int, HostResult[T]] = {}
    for number, outcome in as_they_come(hosts, job, limit=limit):
        host = hosts[number]
        answers[number] = (
            HostResult(host, error=outcome) if isinstance(outcome, RealmsError) else HostResult(host, outcome)
        )
    in_order = tuple(answers[number] for number in range(len(hosts)))
    for answer in in_order:
        if isinstance(answer.error, Cancelled):
            raise answer.error
    return in_order


def map_items(items: Sequence[S], job: Callable[[S], T], *, limit: int = AT_ONCE) -> tuple[T, ...]:
    """Do a job for each item, up to `limit` at a time; return the results in the order of the items.

    Raises the first error that comes; jobs that have not begun then never do.
    """
    results: dict[int, T] = {}
    with closing(as_they_come(items, job, limit=limit)) as coming:
        for number, outcome in coming:
            if isinstance(outcome, RealmsError):
                raise outcome
            results[number] = outcome
    return tuple(results[number] for number in range(len(items)))


def first(
    hosts: Sequence[Host], job: Callable[[Host], T], *, limit: int = AT_ONCE, check: Callable[[], object] | None = None
) -> tuple[Host, T]:
    """Do a job on hosts at once; return the first result, with its host, without waiting for the others.

    Raises the first error where all fail, and what `check` raises while nothing comes.
    """
    failures: list[RealmsError] = []
    for number, outcome in as_they_come(hosts, job, limit=limit, check=check):
        if not isinstance(outcome, RealmsError):
            return hosts[number], outcome
        failures.append(outcome)
    raise failures[0]
