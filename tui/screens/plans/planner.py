"""What the area of plans asks of placement, and the newest answer to each question. Nothing here is of the screen."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import assert_never

from core.config.model import Configuration
from core.errors import RealmsError
from core.fleet.fleet import Fleet
from core.operations.plans.order import MovesKind as OrderKind
from core.operations.plans.order import PlanOrder
from core.operations.session import Session
from core.placement.engine.request import Request
from core.placement.plans.demand import DEFAULT_POLICY, MovePolicy
from core.text import natural
from tui.forms.mix import Mix
from tui.render.ages import freshness
from tui.render.plans.sheet import PlanKind, PlanView, age_note
from tui.screens.plans.runs import PlanKey


@dataclass(frozen=True, slots=True)
class PlanQuestion:
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

    def answer(self) -> Iterator[PlanView]:
        """Make the plan; raises RealmsError where there can't be one."""
        yield self._sheet()

    def _sheet(self) -> PlanView:
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

    def _mix_sheet(self) -> PlanView:
        from core.placement.plans.batch import compare_orders
        from core.placement.plans.mix import capacity_of_mix
        from tui.render.plans.mix import mix_sheet

        one = [request for request, count in self.sizes for _ in range(count)]
        capacity = capacity_of_mix(self.configuration, self.fleet, self.sizes)
        return mix_sheet(capacity, compare_orders(self.configuration, self.fleet, one), self.fleet)


@dataclass(slots=True)
class PlanSlot:
    """One kind of plan: what was asked last, and what is shown."""

    asked: PlanQuestion | None = None
    shown: PlanQuestion | None = None
    """The question that the shown outcome answers."""
    outcome: PlanView | RealmsError | None = None

    @property
    def is_current(self) -> bool:
        """Whether what is shown is about what was asked last, be it of an older fleet."""
        return self.asked is not None and self.shown is not None and self.asked.subject == self.shown.subject

    @property
    def sheet(self) -> PlanView | None:
        """The plan that is shown; None where there is none."""
        return self.outcome if isinstance(self.outcome, PlanView) else None

    def forget(self) -> None:
        """Let go of what was asked and shown: there is nothing to plan for."""
        self.asked = self.shown = self.outcome = None

    def take(self, question: PlanQuestion, outcome: PlanView | RealmsError) -> bool:
        """Take an answer, unless something else was asked meanwhile."""
        if self.asked is None or question.subject != self.asked.subject:
            return False
        self.shown, self.outcome = question, outcome
        return True


def fleet_state(session: Session, fleet: Fleet) -> tuple[object, ...]:
    """Return what tells fleets apart: as long as it stays the same, so does every plan."""
    realms = session.configuration.realms
    worth = tuple(freshness(snapshot, fleet.taken, realms) for snapshot in fleet.hosts)
    return (session.generation, worth, session.configuration)


class Planner:
    """Which plan is in front, what each is to be made for, and what was answered. For the screen's thread alone."""

    def __init__(self) -> None:
        self.kind = PlanKind.CAPACITY
        """The plan in front."""
        self.host = ""
        """The host to be drained; empty until one was chosen."""
        self.mix: Mix = ()
        """The sizes of the mix; empty until they were typed."""
        self.policies: dict[PlanKind, MovePolicy] = {}
        """Which VMs a plan may move, where that was chosen."""
        self._desks = {kind: PlanSlot() for kind in PlanKind}

    @property
    def desk(self) -> PlanSlot:
        """The plan in front, as far as it is made."""
        return self._desks[self.kind]

    @property
    def key(self) -> PlanKey:
        """What the plan in front is known by among those that are carried out."""
        return (self.kind.value, self.host if self.kind is PlanKind.DRAIN else "")

    @property
    def policy(self) -> MovePolicy:
        """Which VMs the plan in front may move."""
        return self.policies.get(self.kind, DEFAULT_POLICY)

    def keep_host(self, fleet: Fleet) -> bool:
        """Choose a host with VMs to move where none was chosen, or that one is gone; return whether it is another."""
        if self.host and fleet.host(self.host) is not None:
            return False
        hosts = sorted(fleet.hosts, key=lambda host: (not any(host.active_vms()), natural(host.name)))
        self.host = hosts[0].name if hosts else ""
        return True

    def ask(
        self, session: Session, fleet: Fleet, request: Request, *, at_once: bool, is_resting: bool
    ) -> PlanQuestion | None:
        """Return what is to be planned now; None where the newest question stands.

        Another subject is planned for at once, another fleet of the same only after the rest.
        """
        question = PlanQuestion(
            self.kind, session.configuration, fleet, request, self.host, fleet_state(session, fleet), self.policy,
            self.mix,
        )  # fmt: skip
        asked = self.desk.asked
        stands = asked is not None and asked.subject == question.subject
        if not at_once and asked is not None and stands and (is_resting or asked.state == question.state):
            return None
        self.desk.asked = question
        return question

    def take(self, question: PlanQuestion, outcome: PlanView | RealmsError) -> bool:
        """Take an answer unless it is no longer asked for, and return whether it is about the plan in front."""
        return self._desks[question.kind].take(question, outcome) and question.kind is self.kind

    def note(self, session: Session, fleet: Fleet | None, *, is_planning: bool) -> str:
        """Return how old the figures of the plan in front are, and whether newer ones are on their way."""
        desk = self.desk
        if desk.shown is None or desk.asked is None:
            return "planning" if is_planning else ""
        is_newest = fleet is not None and fleet_state(session, fleet) == desk.shown.state
        age = 0.0 if is_newest else session.clock.now() - desk.shown.fleet.taken
        return age_note(age, working=is_planning and not desk.is_current, saved=not session.is_live)

    def is_of(self, order: PlanOrder, request: Request) -> bool:
        """Return whether an order is for the plan in front."""
        wanted = request if self.kind is PlanKind.ROOM else None
        return (order.kind.value, order.host, order.request) == (*self.key, wanted)

    def order(self, sheet: PlanView) -> PlanOrder:
        """Return what would be carried out: the plan in front, no further than it goes."""
        kind, host = self.key
        most = len(sheet.moves) if self.kind is PlanKind.REBALANCE else None
        return PlanOrder(kind=OrderKind(kind), host=host, policy=self.policy, most=most, request=sheet.request)
