"""What the cost explorer asks of the placement engine, and the answers that a thread brings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from core.config.settings import Setting
from core.errors import UsageError
from core.fleet import Fleet
from core.placement.failure import failure
from core.placement.sandbox import Sandbox
from tui.render.exploration import Exploration, explore, explore_what_if
from tui.render.headroom import count
from tui.render.what_if import Counted

if TYPE_CHECKING:
    from core.config.model import Configuration
    from core.placement.sandbox import Change, Situation
    from tui.screens.costs_request import Asked

MOST_FOR_FAILURE = 200
"""Hosts whose loss is tried with every change; more take too long to follow keys."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The hosts as judged; in a what-if also what they were judged in. `trouble` says why there is none."""

    exploration: Exploration | None
    sandbox: Sandbox | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the placement engine, so that a thread can answer it."""

    number: int
    configuration: Configuration
    fleet: Fleet
    asked: Asked
    changes: tuple[Change, ...] = ()
    made: Sandbox | None = None
    """The sandbox of the last answer: where the changes are the same, it only gets the newer fleet."""

    def answer(self) -> Answer:
        """Judge the hosts."""
        request, number = self.asked.request, self.asked.count
        if not self.changes:
            return Answer(explore(self.configuration, self.fleet, request, number))
        try:
            sandbox = self._sandbox()
        except UsageError as error:
            return Answer(None, trouble=str(error))
        return Answer(explore_what_if(sandbox, request, number), sandbox)

    def _sandbox(self) -> Sandbox:
        """Make the changes: settings once, those of hosts and VMs as far as what they are about is still there."""
        made = self.made
        if made is not None and made.changes == self.changes and made.before.configuration is self.configuration:
            return made.on(self.fleet)
        settings = [change for change in self.changes if isinstance(change, Setting)]
        if made is not None and made.settings == tuple(settings) and made.before.configuration is self.configuration:
            set_only = made
        else:
            set_only = Sandbox.of(self.configuration, Fleet(self.fleet.taken)).with_changes(*settings)
        return Sandbox(set_only.before, self.changes, set_only.after, set_only.warnings).on(self.fleet)

    def counted(self, situation: Situation) -> Counted:
        """Count what fits, and which hosts can't be lost where that is quick."""
        configuration, fleet = situation.configuration, situation.fleet
        losses = None
        if len(fleet.hosts) <= MOST_FOR_FAILURE:
            losses = sum(host.survives is False for host in failure(configuration, fleet).hosts)
        return Counted(count(configuration, fleet, self.asked.request), losses)


class Explored(Message):
    """A thread has judged the hosts."""

    def __init__(self, question: Question, answer: Answer) -> None:
        super().__init__()
        self.question = question
        self.answer = answer


class CountedUp(Message):
    """A thread has counted what fits, before and after the changes; `number` says for which question."""

    def __init__(self, number: int, before: Counted, after: Counted) -> None:
        super().__init__()
        self.number = number
        self.before = before
        self.after = after
