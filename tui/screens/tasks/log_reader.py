"""Reads the scheduling log in the background: what is there, the newest first, then what is appended."""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.document import Malformed
from core.operations.scheduling.log_summary import DecisionSummary, summarize
from core.operations.scheduling.log_tail import LinePlace, LogFollower, LogLine

MOST_DECISIONS = 5000
"""Decisions that are listed; older ones are left out."""

BATCH = 250
"""Decisions that are brought to the screen together."""

Entry = tuple["LinePlace", "DecisionSummary"]


@dataclass(frozen=True, slots=True)
class LogRead:
    """Decisions that were read; `newer` tells those that were appended from those further back."""

    entries: tuple[Entry, ...] = ()
    """The newest first."""
    newer: bool = False
    anew: bool = False
    """Whether what was read before is to be forgotten."""
    complete: bool = False
    """Whether all that is there has been read."""
    damaged: int = 0
    """Damaged lines among those read now."""
    first_damage: str = ""
    left_out: bool = False
    trouble: str = ""


class LogReader:
    """Reads a log: what is there, then what was appended since. For one thread at a time, until it is stopped."""

    def __init__(self, log: Path) -> None:
        self._follower = LogFollower(log)
        self._has_begun = False
        self._reading = threading.Lock()
        self._stopped = False

    def stop(self) -> None:
        """Let go of the file, at once or when the thread that reads it comes back."""
        self._stopped = True
        if self._reading.acquire(blocking=False):
            self._follower.close()
            self._reading.release()

    def read(self) -> Iterator[LogRead]:
        """Read what is new, in parts. Raises UnreadableFile; what was not read then is read by the next call."""
        try:
            with self._reading:
                yield from self._follow() if self._has_begun else self._begin()
        finally:
            if self._stopped:
                self._follower.close()

    def _begin(self) -> Iterator[LogRead]:
        first = True
        lines: list[LogLine] = []
        self._has_begun = False
        for number, line in enumerate(self._follower.past(), 1):
            lines.append(line)
            if len(lines) == BATCH or number == MOST_DECISIONS:
                yield _told(lines, newer=False, anew=first)
                first, lines = False, []
            if number == MOST_DECISIONS:
                self._follower.left_out = True
                break
        self._has_begun = True
        yield _told(lines, newer=False, anew=first, complete=True, left_out=self._follower.left_out)

    def _follow(self) -> Iterator[LogRead]:
        lines = self._follower.fresh()
        if lines is None:
            yield from self._begin()
        elif lines:
            yield _told(list(reversed(lines)), newer=True, complete=True)


def _told(
    lines: Iterable[LogLine], *, newer: bool, anew: bool = False, complete: bool = False, left_out: bool = False
) -> LogRead:
    entries: list[Entry] = []
    damaged, first_damage = 0, ""
    for line in lines:
        try:
            if line.content is None:
                raise Malformed("the line", "is too long to be read")  # noqa: TRY301 - damaged as the others
            entries.append((line.place, summarize(line.content)))
        except Malformed as error:
            damaged += 1
            first_damage = first_damage or f"{error.where} {error}"
    return LogRead(tuple(entries), newer, anew, complete, damaged, first_damage, left_out)
