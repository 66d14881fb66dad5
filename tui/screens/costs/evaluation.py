"""How the cost explorer asks: small fleets between two frames, larger ones and what-ifs in a thread."""

from collections.abc import Callable

from core.config.model import Configuration
from core.errors import RealmsError
from core.fleet.fleet import Fleet
from core.operations.session import Session
from tui.render.ages import shown_ages
from tui.screens.background import BackgroundWork, Latest
from tui.screens.costs.query import CostAnswer, CostQuery
from tui.screens.costs.what_if.session import WhatIfSession

AT_ONCE = 100
"""Hosts that are judged between two frames; more are left to a thread."""

REST_SECONDS = 1.0
"""A larger fleet that keeps changing is judged so often; a changed request always at once."""

_PLACED_AS_FAST = 4
"""VMs that are placed in the time in which one host is judged."""


class Evaluation:
    """Has the hosts judged for a session; `show` is called whenever that has taken an answer, or why there is none.

    `rested` is called when a larger fleet may be judged again.
    """

    def __init__(
        self, owner: BackgroundWork, session: WhatIfSession, show: Callable[[], None], rested: Callable[[], None]
    ) -> None:
        self._session = session
        self._show = show
        self.judging = Latest(owner, "judge", CostQuery.parts, self._take, self._fail, rest=_rest, rested=rested)
        self._judged: tuple[object, ...] = ()
        """What told apart the fleet that was judged last."""

    def judge_newer(self, session: Session, fleet: Fleet) -> bool:
        """Judge the newest fleet; False where nothing is new or it was judged just now."""
        configuration = session.configuration
        state = (session.generation, shown_ages(fleet, configuration.realms), configuration)
        is_known = state == self._judged or self.judging.is_resting
        if self._session.exploration is not None and is_known and not self.judging.is_busy:
            return False
        self._judged = state
        self.judge(configuration, fleet)
        return True

    def judge(self, configuration: Configuration, fleet: Fleet) -> None:
        """Judge a fleet for what is asked: at once, or in a thread, of which there is one at a time."""
        question = self._session.question(configuration, fleet)
        if question is None:
            return
        if not question.changes and len(fleet.hosts) + question.asked.count // _PLACED_AS_FAST <= AT_ONCE:
            self.judging.forget()
            self._take(question, question.answer())
        else:
            self.judging.ask(question)

    def _take(self, question: CostQuery, answer: CostAnswer) -> None:
        if self._session.take(question, answer):
            self._show()

    def _fail(self, question: CostQuery, error: RealmsError) -> None:
        if self._session.fail(question, error):
            self._show()


def _rest(question: CostQuery, _: float) -> float:
    return REST_SECONDS if len(question.fleet.hosts) > AT_ONCE else 0.0
