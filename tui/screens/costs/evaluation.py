"""How the cost explorer asks: small fleets between two frames, larger ones and what-ifs in a thread."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.text import one_line
from tui.render.ages import shown_ages
from tui.render.costs.ranking import ranking_rows
from tui.screens.background import Latest
from tui.screens.costs.query import Question
from tui.screens.costs.what_if.functions import FunctionWhatIfs
from tui.screens.costs.what_if.hosts import HostWhatIfs
from tui.widgets.grid import Grid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from core.errors import RealmsError
    from core.fleet.fleet import Fleet
    from tui.render.costs.exploration import Exploration
    from tui.render.rows import Row
    from tui.screens.costs.query import Answer

AT_ONCE = 100
"""Hosts that are judged between two frames; more are left to a thread."""

REST_SECONDS = 1.0
"""A larger fleet that keeps changing is judged so often; a changed request always at once."""

_PLACED_AS_FAST = 4
"""VMs that are placed in the time in which one host is judged."""


class JudgingScreen(HostWhatIfs, FunctionWhatIfs):
    """The part of the cost explorer that has hosts judged; `show_exploration` shows what comes of it."""

    def __init__(self) -> None:
        super().__init__()
        self._judging = Latest(
            self, "judge", self._work, self._show_answer, self._fail_to_judge, rest=_rest, rested=self._look_again
        )
        self._judged: tuple[object, ...] = ()
        """What told apart the fleet that was judged last."""
        self._answer: Answer | None = None
        """The last answer in a what-if; None outside of one."""

    def show_exploration(self, exploration: Exploration) -> None:
        """Show what the hosts were judged to be."""
        raise NotImplementedError

    def judge_newer(self, fleet: Fleet) -> None:
        """Judge the newest fleet, unless nothing is new or it was judged just now: then show what there is."""
        workplace = self.realms.workplace
        configuration = workplace.configuration
        state = (workplace.generation, shown_ages(fleet, configuration.realms), configuration)
        known = state == self._judged or self._judging.is_resting
        if self.exploration is not None and known and not self._judging.is_busy:
            self.show_exploration(self.exploration)
            return
        self._judged = state
        self.judge(fleet)

    def _look_again(self) -> None:
        if self.is_current and self.realms.fleet is not None:
            self.show_fleet(self.realms.fleet)

    def ask_again(self) -> None:
        """Judge the hosts with the changes as they are now."""
        if self.realms.fleet is not None:
            self.judge(self.realms.fleet)

    def judge(self, fleet: Fleet) -> None:
        """Judge a fleet for the request: at once, or in a thread, of which there is one at a time."""
        if self.asked is None:
            return
        configuration, changes = self.realms.workplace.configuration, self.changes
        question = Question(configuration, fleet, self.asked, changes, self._answer)
        if not changes and len(fleet.hosts) + self.asked.count // _PLACED_AS_FAST <= AT_ONCE:
            self._judging.forget()
            self._take(question.answer())
        else:
            self._judging.ask(question)

    def _work(self, question: Question) -> Iterator[Answer]:
        return replace(question, earlier=self._answer).parts()

    def _show_answer(self, _: Question, answer: Answer) -> None:
        self._take(answer)

    def _fail_to_judge(self, _: Question, error: RealmsError) -> None:
        """Say why nothing was judged."""
        self.exploration, self._trouble = None, str(error)
        self._tell_banner()
        self.query_one("#ranking", Grid).fail(one_line(str(error)))

    def _take(self, answer: Answer) -> None:
        """Show an answer; in a what-if it is what the next one begins with."""
        self._answer = answer if answer.sandbox is not None else None
        self.sandbox, self._trouble, self._counted = answer.sandbox, answer.trouble, answer.counted
        self._tell_banner()
        if answer.exploration is not None:
            self.show_exploration(answer.exploration)

    def rows_of(self, exploration: Exploration, fits: Mapping[str, int]) -> tuple[Row, ...]:
        """Give the rows of the ranking, as a thread has made them where it did."""
        if self._answer is not None and self._answer.exploration is exploration:
            return self._answer.rows
        return ranking_rows(exploration, fits)


def _rest(question: Question, _: float) -> float:
    return REST_SECONDS if len(question.fleet.hosts) > AT_ONCE else 0.0
