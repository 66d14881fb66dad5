"""How the cost explorer asks: small fleets between two frames, larger ones and what-ifs in a thread."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textual import work

from tui.render.ages import shown_ages
from tui.render.costs import ranking_rows
from tui.screens.costs_question import Explored, Question
from tui.screens.sandbox_functions import FunctionWhatIfs
from tui.screens.sandbox_hosts import HostWhatIfs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.timer import Timer

    from core.fleet import Fleet
    from tui.render.exploration import Exploration
    from tui.screens.costs_question import Answer
    from tui.widgets.rows import Row

AT_ONCE = 100
"""Hosts that are judged between two frames; more are left to a thread."""

COUNTED_FIRST = 30
"""Hosts of which what fits is counted before their ranking is shown: of more, the ranking is shown first."""

REST_SECONDS = 1.0
"""A larger fleet that keeps changing is judged so often; a changed request always at once."""

_PLACED_AS_FAST = 4
"""VMs that are placed in the time in which one host is judged."""


class JudgingScreen(HostWhatIfs, FunctionWhatIfs):
    """The part of the cost explorer that has hosts judged; `show_exploration` shows what comes of it."""

    def __init__(self) -> None:
        super().__init__()
        self._question = 0
        """Number of the newest question: a thread's late answer to an older one is not shown over a newer."""
        self._is_judging = False
        self._waiting: Question | None = None
        """The newest question that came while a thread was judging: those between are dropped."""
        self._judged: tuple[object, ...] = ()
        """What told apart the fleet that was judged last."""
        self._answer: Answer | None = None
        """The last answer in a what-if; None outside of one."""
        self._rest: Timer | None = None
        """Runs while a large fleet that was just judged is left alone."""

    def show_exploration(self, exploration: Exploration) -> None:
        """Show what the hosts were judged to be."""
        raise NotImplementedError

    def judge_newer(self, fleet: Fleet) -> None:
        """Judge the newest fleet, unless nothing is new or it was judged just now: then show what there is."""
        workplace = self.realms.workplace
        configuration = workplace.configuration
        state = (workplace.generation, shown_ages(fleet, configuration.realms), configuration)
        if self.exploration is not None and not self._is_judging and (state == self._judged or self._rest is not None):
            self.show_exploration(self.exploration)
            return
        self._judged = state
        if len(fleet.hosts) > AT_ONCE:
            self._rest = self.set_timer(REST_SECONDS, self._look_again)
        self.judge(fleet)

    def _look_again(self) -> None:
        self._rest = None
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
        self._question += 1
        configuration, changes = self.realms.workplace.configuration, self.changes
        question = Question(self._question, configuration, fleet, self.asked, changes, self._answer)
        if not changes and len(fleet.hosts) + self.asked.count // _PLACED_AS_FAST <= AT_ONCE:
            self._waiting = None
            self._take(question.answer())
        elif self._is_judging:
            self._waiting = question
        else:
            self._judge_aside(question)

    def _judge_aside(self, question: Question) -> None:
        self._is_judging, self._waiting = True, None
        self._work(question)

    @work(thread=True, group="judge", description="judge hosts")
    def _work(self, question: Question) -> None:
        answer = question.answer()
        if answer.sandbox is None:
            self.post_message(Explored(question, answer))
        elif len(question.fleet.hosts) <= COUNTED_FIRST:
            self.post_message(Explored(question, question.count(answer)))
        else:
            self.post_message(Explored(question, answer))
            if self._question == question.number:
                self.post_message(Explored(question, question.count(answer), again=True))

    def on_explored(self, message: Explored) -> None:
        """Show a thread's answer, unless something else was asked at once since; then judge what waits."""
        question, answer = message.question, message.answer
        if not message.again:
            self._is_judging = False
        if self._waiting is not None and not message.again:
            self._judge_aside(replace(self._waiting, earlier=answer if answer.sandbox is not None else self._answer))
            self._take(answer)
        elif question.number == self._question:
            self._take(answer)

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
