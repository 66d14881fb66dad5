"""What the area of plans asks of placement, and the sheet that comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from core.placement.plans.demand import DEFAULT_POLICY
from tui.render.plans.sheet import PlanKind, Sheet

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from core.config.model import Configuration
    from core.errors import RealmsError
    from core.fleet.fleet import Fleet
    from core.placement.engine.request import Request
    from core.placement.plans.demand import MovePolicy
    from tui.forms.mix import Mix


@dataclass(frozen=True, slots=True)
class Question:
    """A plan to be made; `state` tells fleets apart."""

    kind: PlanKind
    configuration: Configuration
    fleet: Fleet
    request: Request
    host: str
    """The host to be drained; empty for the other plans."""
    state: object
    policy: MovePolicy = DEFAULT_POLICY
    """Which VMs may move."""
    mix: Mix = ()
    """The sizes of a mix; empty: one VM of the request."""

    @property
    def subject(self) -> Hashable:
        """What is asked, whatever the fleet: an answer about another subject is not shown."""
        wanted: Hashable = self.request.key if self.kind in (PlanKind.CAPACITY, PlanKind.ROOM) else ()
        if self.kind is PlanKind.MIX:
            wanted = tuple((request.key, count) for request, count in self.sizes)
        policy = self.policy if self.kind.moves else None
        return (self.kind, wanted, self.host if self.kind is PlanKind.DRAIN else "", policy)

    @property
    def sizes(self) -> Mix:
        """The mix that is asked about."""
        return self.mix or ((self.request, 1),)

    def answer(self) -> Iterator[Sheet]:
        """Make the plan; raises RealmsError where there can't be one."""
        yield self._sheet()

    def _sheet(self) -> Sheet:
        configuration, fleet = self.configuration, self.fleet
        match self.kind:
            case PlanKind.CAPACITY:
                from core.placement.plans.capacity import capacity
                from tui.render.plans.hosts import capacity_sheet

                return capacity_sheet(capacity(configuration, fleet, self.request))
            case PlanKind.MIX:
                return self._mix_sheet()
            case PlanKind.FAILURE:
                from core.placement.plans.failure import failure
                from tui.render.plans.hosts import failure_sheet

                return failure_sheet(failure(configuration, fleet))
            case PlanKind.DRAIN:
                from core.placement.plans.drain import drain
                from tui.render.plans.moves import drain_sheet

                return drain_sheet(drain(configuration, fleet, self.host, self.policy))
            case PlanKind.REBALANCE:
                from core.placement.plans.rebalance import rebalance
                from tui.render.plans.moves import rebalance_sheet

                return rebalance_sheet(rebalance(configuration, fleet, self.policy))
            case PlanKind.ROOM:
                from core.placement.plans.make_room import make_room
                from tui.render.plans.moves import room_sheet

                return room_sheet(make_room(configuration, fleet, self.request, self.policy))
            case _:
                assert_never(self.kind)

    def _mix_sheet(self) -> Sheet:
        from core.placement.plans.batch import compare_orders
        from core.placement.plans.mix import capacity_of_mix
        from tui.render.plans.mix import mix_sheet

        one = [request for request, count in self.sizes for _ in range(count)]
        capacity = capacity_of_mix(self.configuration, self.fleet, self.sizes)
        return mix_sheet(capacity, compare_orders(self.configuration, self.fleet, one), self.fleet)


@dataclass(slots=True)
class Desk:
    """One kind of plan: what was asked last, and what is shown. For the screen's thread alone."""

    asked: Question | None = None
    shown: Question | None = None
    """The question that the shown outcome answers."""
    outcome: Sheet | RealmsError | None = None

    def forget(self) -> None:
        """Let go of what was asked and shown: there is nothing to plan for."""
        self.asked = self.shown = self.outcome = None

    def take(self, question: Question, outcome: Sheet | RealmsError) -> bool:
        """Take an answer, unless something else was asked meanwhile."""
        if self.asked is None or question.subject != self.asked.subject:
            return False
        self.shown, self.outcome = question, outcome
        return True
