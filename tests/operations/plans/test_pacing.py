"""Several moves at once: a plan under way never overbooks a host, and ends, in whatever order its moves do."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from core.config.model import Configuration
from core.costs import CostFunction
from core.curves import Linear
from core.hardware import Device, HardwareProfile
from core.operations.plans.order import MovesKind, PlanOrder
from core.operations.plans.pacing import as_if_ended, held_but, may_begin, next_moves, with_under_way
from core.placement.engine.ledger import Ledger
from core.placement.plans.demand import MovePolicy, request_of
from core.placement.plans.drain import Move, drain
from core.placement.plans.rebalance import rebalance
from tests.placement.model import costs, moved, vm_of
from tests.placement.world import CONFIGURATION, GIB, GPUS, fleet, snapshot, vm
from tests.strategies import configurations, fleets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from core.fleet.fleet import VM, Fleet

    Planner = Callable[[Configuration, Fleet], Sequence[Move]]

ALL = MovePolicy(foreign=True, with_devices=True)


def planner_of(order: PlanOrder) -> Planner:
    """Return what plans an order, the moves alone."""
    return lambda configuration, fleet: order.plan(configuration, fleet).moves


def incoming(now: Fleet, under_way: Sequence[Move]) -> Fleet:
    """Count the moves under way on both hosts, plainly: a copy of the VM is active on the target too."""
    arriving = {host.name: [move for move in under_way if move.target == host.name] for host in now.hosts}
    return replace(
        now,
        hosts=tuple(
            replace(
                host,
                vms=(
                    *host.vms,
                    *(
                        replace(move.vm, host=host.name, uuid=f"{move.vm.uuid} on its way", devices=move.devices)
                        for move in arriving[host.name]
                    ),
                ),
            )
            for host in now.hosts
        ),
    )


class Model:
    """A fleet on which a plan is carried out by the house's rules, while the test says what ends, and how."""

    def __init__(self, configuration: Configuration, start: Fleet, planner: Planner, parallel: int) -> None:
        self.configuration = configuration
        self.now = start
        self.planner = planner
        self.parallel = parallel
        self.agreed = list(planner(configuration, start))
        self.left = Counter(move.vm.uuid for move in self.agreed)
        self.under_way: list[Move] = []
        self.begun = 0

    def begin(self) -> bool:
        """Begin what may begin; says whether anything is under way."""
        choice = next_moves(
            self.configuration,
            self.now,
            self.planner,
            waiting=set(+self.left),
            under_way=self.under_way,
            parallel=self.parallel,
            busy={},
        )
        for move in choice.begun:
            assert move.vm == vm_of(self.now, move.vm.uuid)
            assert move.vm.uuid not in {other.vm.uuid for other in self.under_way}
            self.left[move.vm.uuid] -= 1
            self.under_way.append(move)
            self.begun += 1
            self.check(move)
        return bool(self.under_way)

    def check(self, begun: Move) -> None:
        """Assert that the host that a move has just begun to fill is not overbooked, nor asked for too much."""
        assert costs(self.configuration, incoming(self.now, self.under_way))[begun.target] != float("inf")
        target = self.now.host(begun.target)
        others = [move.devices for move in self.under_way if move.target == begun.target and move is not begun]
        taken = [*target.addresses_in_use(), *(address for devices in others for address in devices)]
        assert not {*taken} & {*begun.devices}
        taking_part = Counter(host for move in self.under_way for host in (move.source, move.target))
        assert max(taking_part.values()) <= self.parallel

    def end(self, number: int, *, well: bool) -> None:
        """End one of the moves under way; one that fails is left out from then on."""
        move = self.under_way.pop(number)
        if well:
            self.now = moved(self.now, move)
        else:
            del self.left[move.vm.uuid]


orders = st.builds(
    PlanOrder,
    kind=st.just(MovesKind.REBALANCE),
    policy=st.builds(MovePolicy, foreign=st.sampled_from([True]), with_devices=st.booleans()),
    parallel=st.integers(1, 3),
)


@settings(max_examples=150, deadline=None)
@given(configurations(), fleets(healthy=True, max_hosts=6), orders, st.booleans(), st.data())
def test_no_host_is_overbooked_at_any_moment(
    configuration: Configuration, start: Fleet, order: PlanOrder, drains: bool, data: st.DataObject
) -> None:
    """Nor a device given twice, nor more moved than was agreed to; moves end in any order, and some of them badly."""
    if drains and start.hosts:
        order = replace(order, kind=MovesKind.DRAIN, host=data.draw(st.sampled_from(start.hosts)).name)
    model = Model(configuration, start, planner_of(order), order.parallel)
    while model.begin():
        model.end(
            data.draw(st.integers(0, len(model.under_way) - 1)),
            well=data.draw(st.sampled_from([True, True, True, False])),
        )
    assert model.begun <= len(model.agreed)


TIGHT = Configuration(
    {"tight": CostFunction(id="tight", name="", memory=Linear(slope=1 / GIB, base=0.0, max=12.0 * GIB),
                           devices={"a100": Linear(slope=1.0, base=0.0)})},
    {"node": HardwareProfile(id="node", name="", cores=8, memory_bytes=12 * GIB, cost_function="tight",
                             devices=tuple(Device("a100", address) for address in GPUS[:2]))},
    {"main": CONFIGURATION.realms["main"]},
)  # fmt: skip
"""Hosts of 12 GiB and two devices."""


@st.composite
def crowds(draw: st.DrawFn) -> Fleet:
    """Draw hosts that are nearly full."""
    hosts = []
    for name in ("a", "b", "c", "d")[: draw(st.integers(2, 4))]:
        room, free, vms = 12, list(GPUS[:2]), []
        for number in range(draw(st.integers(0, 5))):
            gib = draw(st.integers(1, 6))
            if gib > room:
                break
            room -= gib
            devices = (free.pop(0),) if free and draw(st.integers(0, 3)) == 0 else ()
            vms.append(vm(name, f"v{number}", gib=gib, devices=devices, managed=True))
        hosts.append(snapshot(name, *vms, profile="node"))
    return fleet(*hosts)


@st.composite
def step_by_step(draw: st.DrawFn, start: Fleet) -> list[tuple[str, str, str]]:
    """Draw any plan whose steps can be taken one after another: UUID, source and target of each."""
    now, steps = start, []
    for _ in range(draw(st.integers(1, 10))):
        able = [
            (each, host.name)
            for each in now.vms()
            for host in now.hosts
            if host.name != each.host and move_to(now, each, host.name) is not None
        ]
        if not able:
            break
        each, target = draw(st.sampled_from(able))
        steps.append((each.uuid, each.host, target))
        now = moved(now, move_to(now, each, target))
    return steps


def move_to(now: Fleet, each: VM, target: str) -> Move | None:
    """Make a move, where the target has room for it."""
    ledger = Ledger(TIGHT, now)
    request = request_of(TIGHT.hardware_profiles["node"], each, "main")
    place = ledger.place(ledger.index[target], request)
    if place is None:
        return None
    devices = ledger.take(ledger.index[target], request)
    return Move(vm=each, target=target, cost=place[0], devices=devices, request=request)


def planner_by_steps(steps: list[tuple[str, str, str]]) -> Planner:
    """Return a planner that keeps to these steps, so far as they can still be taken."""

    def plan(_: Configuration, now: Fleet) -> list[Move]:
        held = Ledger(TIGHT, now).reserved
        moves = []
        for uuid, source, target in steps:
            each = next((each for each in now.vms() if each.uuid == uuid), None)
            if each is None or uuid in held or each.host != source:
                continue
            move = move_to(now, each, target)
            if move is not None:
                moves.append(move)
                now = moved(now, move)
        return moves

    return plan


@settings(max_examples=200, deadline=None)
@given(st.data(), crowds(), st.integers(1, 4))
def test_any_plan_on_crowded_hosts_keeps_to_their_room(data: st.DataObject, start: Fleet, parallel: int) -> None:
    """Where most moves need the room that others leave; each ends at any time, and some of them badly."""
    model = Model(TIGHT, start, planner_by_steps(data.draw(step_by_step(start))), parallel)
    while model.begin():
        well = data.draw(st.sampled_from([True, True, True, False]))
        model.end(data.draw(st.integers(0, len(model.under_way) - 1)), well=well)
    assert model.begun <= len(model.agreed)


@settings(max_examples=60, deadline=None)
@given(configurations(), fleets(healthy=True, max_hosts=5), st.data())
def test_one_move_at_a_time_is_the_plan_itself(configuration: Configuration, start: Fleet, data: st.DataObject) -> None:
    """In its order, each to the host that was agreed to, with the devices that were."""
    if not start.hosts:
        return
    host = data.draw(st.sampled_from(start.hosts)).name
    order = PlanOrder(kind=MovesKind.DRAIN, host=host, policy=ALL, parallel=1)
    model = Model(configuration, start, planner_of(order), order.parallel)
    done = []
    while model.begin():
        (move,) = model.under_way
        done.append(move)
        model.end(0, well=True)
    assert done == model.agreed


@settings(max_examples=60, deadline=None)
@given(configurations(), fleets(healthy=True), st.data())
def test_what_is_held_uses_what_it_did(configuration: Configuration, start: Fleet, data: st.DataObject) -> None:
    """A plan for some VMs alone sees every host's cost as it is, and moves no other VM."""
    uuids = [each.uuid for each in start.vms()]
    movable = set(data.draw(st.lists(st.sampled_from(uuids), unique=True))) if uuids else set()
    held = held_but(start, movable)
    assert costs(configuration, held) == costs(configuration, start)
    assert {move.vm.uuid for move in rebalance(configuration, held, ALL).moves} <= movable
    for host in start.hosts:
        assert {move.vm.uuid for move in drain(configuration, held, host.name, ALL).moves} <= movable


def test_a_move_waits_for_the_room_that_another_leaves() -> None:
    """The large VM goes only once the one that it takes the place of has gone, though that was begun before."""
    machines = fleet(
        snapshot("a", vm("a", "large", gib=600, managed=True)),
        snapshot("b", vm("b", "other", gib=400, managed=True)),
        snapshot("c"),
    )
    (away,) = drain(CONFIGURATION, machines, "b").moves
    after = moved(machines, away)
    large = next(
        replace(move, target="b") for move in drain(CONFIGURATION, after, "a").moves if move.vm.name == "large"
    )
    chosen = may_begin(CONFIGURATION, machines, [away, large], under_way=(), parallel=2, busy={})
    assert [move.vm.name for move in chosen] == ["other"]
    assert may_begin(CONFIGURATION, machines, [large], under_way=[away], parallel=2, busy={}) == ()
    assert [
        move.vm.name for move in may_begin(CONFIGURATION, after, [large], under_way=(), parallel=2, busy={})
    ] == ["large"]  # fmt: skip


def test_the_room_of_a_move_that_waits_is_not_given_to_a_later_one() -> None:
    """Its host takes part in moves enough already; one to a third host need not wait."""
    machines = fleet(
        snapshot("a", *(vm("a", name, gib=500, managed=True) for name in ("first",))),
        snapshot("b", vm("b", "second", gib=500, managed=True), vm("b", "third", gib=1, managed=True)),
        snapshot("c"),
        snapshot("d"),
    )
    (first,) = drain(CONFIGURATION, machines, "a").moves
    second, third = drain(CONFIGURATION, machines, "b").moves
    plan = [replace(first, target="c"), replace(second, target="c"), replace(third, target="d")]
    chosen = may_begin(CONFIGURATION, machines, plan, under_way=(), parallel=1, busy={"a": 1})
    assert [(move.vm.name, move.target) for move in chosen] == [("third", "d")]


def test_other_programs_moves_count_for_their_hosts() -> None:
    """Two at once, and one of them is somebody else's."""
    machines = fleet(
        snapshot("a", *(vm("a", name, managed=True) for name in ("one", "three", "two"))), snapshot("b"), snapshot("c")
    )
    plan = drain(CONFIGURATION, machines, "a").moves
    begun = [
        len(may_begin(CONFIGURATION, machines, plan, under_way=(), parallel=2, busy=busy))
        for busy in ({}, {"a": 1}, {"a": 2})
    ]
    assert begun == [2, 1, 0]


def test_a_move_under_way_counts_on_both_hosts_until_it_has_ended() -> None:
    """Also before it has reserved its room; afterwards it is as if it had moved, with its device free at the source."""
    source = snapshot("a", vm("a", "ml", devices=GPUS[:1], managed=True), profile="gpu-node")
    machines = fleet(source, snapshot("b", profile="gpu-node"))
    (move,) = drain(CONFIGURATION, machines, "a", ALL).moves
    counted = with_under_way(machines, [move])
    assert [host.addresses_in_use() for host in counted.hosts] == [{GPUS[0]}, {*move.devices}]
    assert with_under_way(counted, [move]) == counted
    then = as_if_ended(machines, [move])
    assert [host.addresses_in_use() for host in then.hosts] == [set(), {*move.devices}]
    assert costs(CONFIGURATION, then) == costs(CONFIGURATION, moved(machines, move))


def test_the_room_of_a_vm_that_is_shut_down_on_its_way_is_kept_until_its_move_has_ended() -> None:
    """It is started where it was if it can't be moved: neither its room nor its device is another one's meanwhile."""
    here, other = vm("a", "here", gib=8, devices=(GPUS[0],)), vm("b", "other", gib=8)
    start = fleet(*(snapshot(name, *vms, profile="node") for name, vms in (("a", [here]), ("b", [other]), ("c", []))))
    away, back = move_to(start, here, "c"), move_to(moved(start, move_to(start, here, "c")), other, "a")
    assert away is not None
    assert back is not None
    off = fleet(snapshot("a", replace(here, active=False), profile="node"), *start.hosts[1:])

    def begun(now: Fleet, under_way: Sequence[Move]) -> tuple[Move, ...]:
        return may_begin(TIGHT, now, [back], under_way=under_way, parallel=2, busy={})

    assert begun(start, [away]) == begun(off, [away]) == ()
    assert begun(moved(start, away), []) == (back,)
