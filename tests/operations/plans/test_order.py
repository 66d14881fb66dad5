"""What a plan is carried out by, written down and read again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.errors import UsageError
from core.operations.plans.order import MovesKind, PlanOrder
from core.placement.engine.request import Request
from core.placement.plans.demand import MovePolicy
from core.placement.plans.make_room import make_room
from tests.tui import world

GIB = 2**30
LARGE = Request(2, 250 * GIB, {"a100": 1}, "main")
ORDERS = (
    PlanOrder(
        kind=MovesKind.DRAIN, host="h1", policy=MovePolicy(foreign=True, with_devices=True), parallel=3, bandwidth=100
    ),
    PlanOrder(kind=MovesKind.REBALANCE, most=4),
    PlanOrder(kind=MovesKind.ROOM, request=LARGE, most=3),
)


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.kind.value)
def test_an_order_is_read_as_it_was_written(order: PlanOrder) -> None:
    """Through JSON, as in a journal."""
    assert PlanOrder.of_facts(json.loads(json.dumps(order.facts()))) == order


def test_an_order_has_what_its_kind_is_about_and_nothing_else() -> None:
    """A drain has a host, room a request."""
    with pytest.raises(UsageError, match="a drain has a host"):
        PlanOrder(kind=MovesKind.DRAIN)
    with pytest.raises(UsageError, match="a rebalance has no request"):
        PlanOrder(kind=MovesKind.REBALANCE, request=LARGE)
    with pytest.raises(UsageError, match="a room has a request"):
        PlanOrder(kind=MovesKind.ROOM)


def test_room_is_made_by_the_moves_that_were_planned() -> None:
    """And says in words for what."""
    full = [world.vm(f"a-{i}", "h1", i, vcpus=2, memory_bytes=100 * GIB) for i in range(8)]
    other = [world.vm(f"b-{i}", "h2", 50 + i, vcpus=2, memory_bytes=100 * GIB) for i in range(7)]
    fleet = world.saved([world.seen(world.host("h1"), full), world.seen(world.host("h2"), other)]).fleet()
    request = Request(2, 250 * GIB)
    order = PlanOrder(kind=MovesKind.ROOM, request=request)
    assert order.what == "make room for 2 vCPUs, 250 GiB"
    planned = make_room(world.CONFIGURATION, fleet, request)
    assert planned.moves
    assert order.moves(world.CONFIGURATION, fleet) == planned.moves
    assert order.staying(world.CONFIGURATION, fleet) == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [("parallel", float("inf")), ("parallel", 17), ("most", -1), ("bandwidth", 10**30), ("kind", ["drain"]),
     ("request", {"vcpus": 1, "memory": 1, "devices": [1], "realm": None, "needs_drives_pool": False})],
)  # fmt: skip
def test_what_is_no_order_is_refused(name: str, value: object) -> None:
    """A damaged journal is no defect of the program, and no migration is begun by what it says."""
    with pytest.raises(UsageError):
        PlanOrder.of_facts({**PlanOrder(kind=MovesKind.REBALANCE, most=4).facts(), name: value})


@pytest.mark.parametrize("facts", [None, [], "drain", {}])
def test_what_holds_no_facts_is_no_order(facts: Any) -> None:
    """Whatever a file has in their place."""
    with pytest.raises(UsageError):
        PlanOrder.of_facts(facts)
