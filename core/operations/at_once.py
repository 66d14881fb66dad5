"""Many hosts asked at the same time, in daemon threads: an interrupt never waits for one that hangs."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeVar

from core.errors import RealmsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")
R = TypeVar("R")


def at_once(work: Callable[[T], R], items: Sequence[T], limit: int) -> tuple[R, ...]:
    """Do the work for every item, up to `limit` of them at a time; gives the results in the items' order.

    Raises what the work raised for the first item that failed.
    """
    waiting: SimpleQueue[tuple[T, Future[R]]] = SimpleQueue()
    outcomes: list[Future[R]] = [Future() for _ in items]
    for pair in zip(items, outcomes, strict=True):
        waiting.put(pair)
    for number in range(min(limit, len(items))):
        threading.Thread(target=_work, args=(work, waiting), name=f"at once {number}", daemon=True).start()
    return tuple(outcome.result() for outcome in outcomes)


def _work(work: Callable[[T], R], waiting: SimpleQueue[tuple[T, Future[R]]]) -> None:
    while True:
        try:
            item, outcome = waiting.get_nowait()
        except Empty:
            return
        try:
            outcome.set_result(work(item))
        except RealmsError as error:
            outcome.set_exception(error)
        finally:
            if not outcome.done():  # a bug: its trace goes to the thread's hook, and nobody waits for ever
                outcome.set_exception(RealmsError("internal error: run again with REALMS_TRACEBACK=1"))
