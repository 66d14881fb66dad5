"""Questions to a host with a deadline: libvirt's calls know none, so they are asked in a thread of their own."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

import libvirt

from core.driver.connection.connection import HostConnection, open_connection
from core.driver.connection.embedded import borrowed
from core.driver.connection.process import end_ssh_children
from core.errors import Cancelled, DriverError, HostTimeout, RealmsError
from core.text import one_line

T = TypeVar("T")


LOOK_SECONDS = 0.1
"""How soon whoever waits for an answer learns that nobody wants it any more."""


def ask_within(
    host: str, uri: str, deadline: float, question: Callable[[HostConnection], T], stop: threading.Event | None = None
) -> T:
    """Connect, ask, close; blocks up to `deadline` seconds, whatever the host does, or until `stop` is set.

    Raises HostTimeout past it, Cancelled, HostUnreachable or another DriverError with a hint. The thread of a host that
    never answers is freed by ending its ssh client; without one it is left to its fate, and never delays the end.
    """
    return answer_within(host, deadline, lambda: _answer(host, uri, question), stop, uri=uri)


def answer_within(
    host: str,
    deadline: float,
    work: Callable[[], T],
    stop: threading.Event | None = None,
    *,
    uri: str = "",
    too_late: Callable[[T], object] = lambda _: None,
) -> T:
    """Have a host asked by `work`, which opens a connection of its own; blocks up to `deadline` seconds.

    It is called in a thread of its own, which is freed, or left to its fate, as by `ask_within`; a result that comes
    when nobody waits any more is given to `too_late` there. Raises HostTimeout, Cancelled, and the errors of the house
    that `work` raises.
    """
    outcome: Future[T] = Future()
    arguments = (host, work, outcome, too_late)
    thread = threading.Thread(target=_ask, args=arguments, name=f"question to {host}", daemon=True)
    thread.start()
    try:
        return outcome.result(deadline) if stop is None else _result(outcome, deadline, stop)
    except (TimeoutError, Cancelled) as error:
        if not outcome.cancel():  # it came in the last moment
            return outcome.result()
        if thread.native_id is not None:
            end_ssh_children(thread.native_id)
        if isinstance(error, Cancelled):
            raise
        hint = "check that the host is up, the network is working and libvirtd is not hung"
        where = f" at {one_line(uri)}" if uri else ""
        raise HostTimeout(host, f"no answer within {deadline:g} s{where}", hint=hint) from error


def _result(outcome: Future[T], deadline: float, stop: threading.Event) -> T:
    until = time.monotonic() + deadline
    while not stop.is_set():
        left = until - time.monotonic()
        try:
            return outcome.result(max(0.0, min(LOOK_SECONDS, left)))
        except TimeoutError:
            if left <= LOOK_SECONDS and not outcome.done():
                raise
    message = "the question was withdrawn"
    raise Cancelled(message)


def _ask(host: str, work: Callable[[], T], outcome: Future[T], too_late: Callable[[T], object]) -> None:
    try:
        value = work()
    except RealmsError as error:
        _fail(outcome, error)
    except BaseException:  # a defect: its trace goes to the thread's hook, and nobody waits for the deadline
        _fail(outcome, DriverError(host, "internal error during the request"))
        raise
    else:
        if outcome.set_running_or_notify_cancel():
            outcome.set_result(value)
        else:
            too_late(value)


def _fail(outcome: Future[T], error: RealmsError) -> None:
    if outcome.set_running_or_notify_cancel():
        outcome.set_exception(error)


def _answer(host: str, uri: str, question: Callable[[HostConnection], T]) -> T:
    with borrowed(host, uri) as world:
        connection = world if world is not None else open_connection(host, uri)
        try:
            return question(connection)
        except libvirt.libvirtError as error:
            raise connection.failed(error, "ask what it is") from error
        finally:
            if world is None:
                connection.close()
