"""What a lane is told: by the program, by libvirt's event thread, by whoever submits a command."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from core.driver.connection.connection import HostConnection


class Notice(Enum):
    """News without particulars."""

    STOP = auto()
    """End the lane."""
    SETTLED = auto()
    """The host's or the realm's settings have changed."""
    POOLS_CHANGED = auto()
    WAKE = auto()
    """Poll, or try to connect, now."""


@dataclass(frozen=True, slots=True)
class DomainChanged:
    """A domain's XML or state is not what it was."""

    uuid: str
    moved_here: bool = False
    """It runs here since a migration: when it started is not known."""


@dataclass(frozen=True, slots=True)
class ConnectionLost:
    """Libvirt has closed a connection."""

    reason: str
    connection: object
    """Token of its subscription: news of an earlier connection may come late."""


@dataclass(frozen=True, slots=True)
class LaneCommand:
    """Something to do on the connection, and where its outcome goes."""

    what: Callable[[HostConnection], Any]
    outcome: Future[Any]


Message = Notice | DomainChanged | ConnectionLost | LaneCommand


class Mailbox:
    """A queue that many threads fill and one empties."""

    def __init__(self) -> None:
        self._filled = threading.Condition()
        self._messages: deque[Message] = deque()

    def put(self, message: Message) -> None:
        """Add a message and wake the reader; never blocks."""
        with self._filled:
            self._messages.append(message)
            self._filled.notify()

    def take(self, timeout: float) -> tuple[Message, ...]:
        """Take all messages; where there are none wait for one, up to `timeout` seconds."""
        with self._filled:
            if not self._messages and timeout > 0:
                self._filled.wait(timeout)
            messages = tuple(self._messages)
            self._messages.clear()
        return messages
