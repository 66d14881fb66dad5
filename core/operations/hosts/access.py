"""One host, reached in two ways: in its lane for what takes a blink, by a connection of one's own for the rest."""

from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Self, TypeVar

from core.driver.connection.connection import HostConnection
from core.driver.connection.jobs import job_connection
from core.errors import HostTimeout
from core.hosts import Host
from core.operations.session import Session
from core.uris import parse_uri

T = TypeVar("T")

QUICK_SECONDS = 60.0
"""Seconds that a host's lane may take until it has done what others asked before, and what is asked now."""


class HostAccess:
    """Calls on one host, for one thread. What is opened for them is closed at the end of the block, if it has one."""

    def __init__(self, session: Session, host: Host, deadline: float = QUICK_SECONDS) -> None:
        self.host = host
        self._session = session
        self._deadline = deadline
        self._opened = ExitStack()
        self._connection: HostConnection | None = None
        # The embedded driver's hosts are worlds of their own for each connection: only the lane's is the real one.
        self._is_embedded = parse_uri(host.uri).driver == "test"

    def via_lane(self, what: Callable[[HostConnection], T]) -> T:
        """Have something done in the host's lane; what it changes is seen at once. Raises DriverError."""
        return run_in_lane(self._session, self.host.name, what, self._deadline)

    def via_own_connection(self, what: Callable[[HostConnection], T]) -> T:
        """Do something on a connection of one's own, opened now or before. Raises DriverError."""
        if self._is_embedded:
            return self.via_lane(what)
        if self._connection is None or not self._connection.is_alive():
            self.close()
            self._connection = self._opened.enter_context(job_connection(self.host, self._deadline))
        return what(self._connection)

    def close(self) -> None:
        """Close what was opened; the next call opens it again."""
        self._connection = None
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def run_in_lane(session: Session, host: str, what: Callable[[HostConnection], T], deadline: float = QUICK_SECONDS) -> T:
    """Have something done in a host's lane, and wait for it up to `deadline` seconds. Raises DriverError."""
    outcome = session.connect().submit(host, what)
    try:
        return outcome.result(deadline)
    except TimeoutError as error:
        never_began = outcome.cancel()
        hint = "it was not started" if never_began else "its outcome is unknown: check again"
        raise HostTimeout(host, f"no answer within {deadline:g} s", hint=hint) from error
