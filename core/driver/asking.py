"""Questions to a host with a deadline: libvirt's calls know none, so they are asked in a thread of their own."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

import libvirt

from core.driver.connection import open_connection
from core.driver.process import end_ssh_children
from core.errors import DriverError, HostTimeout
from core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.driver.connection import HostConnection

T = TypeVar("T")


def ask_within(host: str, uri: str, deadline: float, question: Callable[[HostConnection], T]) -> T:
    """Connect, ask, close; blocks up to `deadline` seconds, whatever the host does.

    Raises HostTimeout past it, HostUnreachable or another DriverError with a hint. The thread of a host that never
    answers is freed by ending its ssh client; without one it is left to its fate, and never delays the end.
    """
    outcome: Future[T] = Future()
    thread = threading.Thread(
        target=_ask, args=(host, uri, question, outcome), name=f"question {one_line(uri)}", daemon=True
    )
    thread.start()
    try:
        return outcome.result(deadline)
    except TimeoutError as error:
        if thread.native_id is not None:
            end_ssh_children(thread.native_id)
        hint = "is the host up, the network between, and libvirtd not hung?"
        raise HostTimeout(host, f"no answer in {deadline:g} s", hint=hint) from error


def _ask(host: str, uri: str, question: Callable[[HostConnection], T], outcome: Future[T]) -> None:
    try:
        outcome.set_result(_answer(host, uri, question))
    except DriverError as error:
        outcome.set_exception(error)
    finally:
        if not outcome.done():  # a bug: its trace goes to the thread's hook, and nobody waits for the deadline
            outcome.set_exception(DriverError(host, f"internal error while asking {one_line(uri)}"))


def _answer(host: str, uri: str, question: Callable[[HostConnection], T]) -> T:
    connection = open_connection(host, uri)
    try:
        return question(connection)
    except libvirt.libvirtError as error:
        raise connection.failed(error, "ask what it is") from error
    finally:
        connection.close()
