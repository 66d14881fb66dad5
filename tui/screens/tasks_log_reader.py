"""The thread that reads the scheduling log: what is there, the newest first, then what is appended."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING

from textual.message import Message

from core.document import Malformed
from core.errors import RealmsError
from core.operations.decision_summary import summarize
from core.operations.log_following import LogFollower

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from textual.message_pump import MessagePump

    from core.operations.decision_summary import DecisionSummary
    from core.operations.log_following import LinePlace, LogLine

MOST_DECISIONS = 5000
"""Decisions that are listed; older ones are left out."""

BATCH = 250
"""Decisions that are brought to the screen together."""

Entry = tuple["LinePlace", "DecisionSummary"]


class LogRead(Message):
    """The thread has read decisions; `newer` tells those that were appended from those further back."""

    def __init__(
        self,
        entries: tuple[Entry, ...],
        *,
        newer: bool,
        anew: bool = False,
        complete: bool = False,
        damaged: int = 0,
        first_damage: str = "",
        left_out: bool = False,
        trouble: str = "",
    ) -> None:
        super().__init__()
        self.entries = entries
        """The newest first."""
        self.newer = newer
        self.anew = anew
        """Whether what was read before is to be forgotten."""
        self.complete = complete
        """Whether all that is there has been read."""
        self.damaged = damaged
        """Damaged lines among those read now."""
        self.first_damage = first_damage
        self.left_out = left_out
        self.trouble = trouble


class LogReader:
    """Reads a log in a daemon thread of its own, so that storage that hangs holds nobody up.

    It looks whenever it is kicked, and posts LogRead. Ends once it is stopped.
    """

    def __init__(self, log: Path, reply_to: MessagePump) -> None:
        self._log = log
        self._reply_to = reply_to
        self._kicked = threading.Event()
        self._stopped = False

    def start(self) -> None:
        """Begin with what is there."""
        threading.Thread(target=self._work, name="scheduling log", daemon=True).start()

    def kick(self) -> None:
        """Look whether anything was appended."""
        self._kicked.set()

    def stop(self) -> None:
        """Nobody reads it any more."""
        self._stopped = True
        self._kicked.set()

    def _work(self) -> None:
        with closing(LogFollower(self._log)) as follower:
            begun = self._begin(follower)
            while not self._stopped:
                self._kicked.wait()
                self._kicked.clear()
                if self._stopped:
                    return
                begun = self._follow(follower) if begun else self._begin(follower)

    def _begin(self, follower: LogFollower) -> bool:
        """Read what is there; False where that has to be tried again."""
        first, number = True, 0
        lines: list[LogLine] = []
        try:
            for line in follower.past():
                if self._stopped:
                    return True
                lines.append(line)
                number += 1
                if len(lines) == BATCH or number == MOST_DECISIONS:
                    self._post(lines, newer=False, anew=first)
                    first, lines = False, []
                if number == MOST_DECISIONS:
                    follower.left_out = True
                    break
        except RealmsError as error:
            self._reply_to.post_message(LogRead((), newer=False, complete=True, trouble=str(error)))
            return False
        self._post(lines, newer=False, anew=first, complete=True, left_out=follower.left_out)
        return True

    def _follow(self, follower: LogFollower) -> bool:
        try:
            lines = follower.fresh()
        except RealmsError as error:
            self._reply_to.post_message(LogRead((), newer=True, complete=True, trouble=str(error)))
            return True
        if lines is None:
            return self._begin(follower)
        if lines:
            self._post(list(reversed(lines)), newer=True, complete=True)
        return True

    def _post(
        self,
        lines: Iterable[LogLine],
        *,
        newer: bool,
        anew: bool = False,
        complete: bool = False,
        left_out: bool = False,
    ) -> None:
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
        self._reply_to.post_message(
            LogRead(
                tuple(entries),
                newer=newer,
                anew=anew,
                complete=complete,
                damaged=damaged,
                first_damage=first_damage,
                left_out=left_out,
            )
        )
