"""What the cost explorer asks of the placement engine, and the answers to it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from core.config.model import Configuration
from core.config.settings import Setting
from core.errors import UsageError
from core.fleet.fleet import Fleet
from core.placement.plans.failure import failure
from core.placement.what_if.sandbox import Change, Sandbox, Situation
from tui.forms.request import Asked
from tui.render.costs.exploration import Exploration, explore, explore_what_if
from tui.render.costs.headroom import count
from tui.render.costs.ranking import ranking_rows
from tui.render.costs.what_if import Counted
from tui.render.rows import Row

COUNTED_FIRST = 30
"""Hosts of which what fits is counted before their ranking is shown: of more, the ranking is shown first."""

MOST_FOR_FAILURE = 200
"""Hosts whose loss is tried with every change; more take too long to follow keys."""


@dataclass(frozen=True, slots=True)
class CostAnswer:
    """The hosts as judged. `trouble` says why they are not, where they aren't.

    In a what-if also what they were judged in, the ranking's rows, and, once that is counted, what fits before and
    after.
    """

    exploration: Exploration | None
    sandbox: Sandbox | None = None
    counted: tuple[Counted, Counted] | None = None
    rows: tuple[Row, ...] = ()
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class CostQuery:
    """What is asked of the placement engine, so that a thread can answer it."""

    configuration: Configuration
    fleet: Fleet
    asked: Asked
    changes: tuple[Change, ...] = ()
    earlier: CostAnswer | None = None
    """The last answer in a what-if: what is the same in this one isn't worked out again."""
    number: int = 0
    """Questions are numbered as they are asked."""

    def parts(self) -> Iterator[CostAnswer]:
        """Judge the hosts; of many in a what-if the ranking comes before what fits is counted."""
        answer = self.answer()
        if answer.sandbox is None or len(self.fleet.hosts) > COUNTED_FIRST:
            yield answer
        if answer.sandbox is not None:
            yield self.count(answer)

    def answer(self) -> CostAnswer:
        """Judge the hosts."""
        request, number = self.asked.request, self.asked.count
        if not self.changes:
            return CostAnswer(explore(self.configuration, self.fleet, request, number))
        try:
            sandbox = self._sandbox()
        except UsageError as error:
            return CostAnswer(None, trouble=str(error))
        before = self._same_before() or explore(self.configuration, self.fleet, request, number)
        exploration = explore_what_if(sandbox, before)
        return CostAnswer(exploration, sandbox, rows=ranking_rows(exploration, {}))

    def _sandbox(self) -> Sandbox:
        made = self.earlier.sandbox if self.earlier is not None else None
        if made is not None and made.before.configuration is not self.configuration:
            made = None
        if made is not None and made.changes == self.changes:
            return made.on(self.fleet)
        settings = tuple(change for change in self.changes if isinstance(change, Setting))
        if made is None or made.settings != settings:
            made = Sandbox.of(self.configuration, Fleet(self.fleet.taken)).with_changes(*settings)
        return Sandbox(made.before, self.changes, made.after, made.warnings).on(self.fleet)

    def _same_before(self) -> Exploration | None:
        """Return how things are without the changes, where the last answer has that already."""
        exploration = self.earlier.exploration if self.earlier is not None else None
        before = exploration.before if exploration is not None else None
        if before is None or before.fleet is not self.fleet or before.configuration is not self.configuration:
            return None
        return before if (before.request, before.count) == (self.asked.request, self.asked.count) else None

    def count(self, answer: CostAnswer) -> CostAnswer:
        """Add what takes longer: how many such VMs fit, and which hosts can't be lost where that is quick."""
        if answer.sandbox is None or answer.exploration is None:
            return answer
        earlier = self.earlier.counted if self.earlier is not None and self._same_before() is not None else None
        before = earlier[0] if earlier is not None else self._counted(answer.sandbox.before)
        after = self._counted(answer.sandbox.after)
        return replace(answer, counted=(before, after), rows=ranking_rows(answer.exploration, after.fits, before))

    def _counted(self, situation: Situation) -> Counted:
        configuration, fleet = situation.configuration, situation.fleet
        losses = None
        if len(fleet.hosts) <= MOST_FOR_FAILURE:
            losses = sum(host.survives is False for host in failure(configuration, fleet).hosts)
        return Counted(count(configuration, fleet, self.asked.request), losses)
