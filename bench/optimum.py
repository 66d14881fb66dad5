"""How far placing one VM after another stays behind the optimum, which OR-tools' CP-SAT finds on small fleets."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.fleets import CONFIGURATION, GIB, make_fleet
from core.placement.engine.ledger import Ledger
from core.placement.engine.request import Request
from core.placement.plans.batch import compare_orders

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

SECONDS = 20.0
"""Time that the solver has for each question."""
UNIT = 128
"""Costs of the function are whole multiples of 1/128 at whole GiB and vCPUs, but for the rounding of the last MiB."""


@dataclass(frozen=True, slots=True)
class Gap:
    """What one goal comes to: in order of arrival, the largest first, and at best (`proven`, or a bound)."""

    goal: str
    arrival: float
    largest_first: float
    best: float
    proven: bool


COARSE = [(8, 2), (24, 16), (40, 4), (56, 24), (72, 8), (96, 32)]
"""GiB and vCPUs of VMs of which few fit on a host: small ones fill every gap, and leave nothing to optimize."""


def gaps(seed: int, hosts: int = 5, running: int = 20, new: int = 14) -> list[Gap]:
    """Place new VMs on a crowded fleet, by the rule and by the solver: the highest cost of a host, and their sum."""
    fleet = make_fleet(hosts, running, seed=seed, skew=True)
    chance = random.Random(seed)  # noqa: S311 - it guards nothing
    requests = [Request(vcpus, gib * GIB) for gib, vcpus in (chance.choice(COARSE) for _ in range(new))]
    ours = compare_orders(CONFIGURATION, fleet, requests)
    if ours.arrival.refused or ours.largest_first.refused:
        message = "the fleet is too small for this comparison"
        raise ValueError(message)
    found = []
    for goal, in_arrival, in_size in (
        ("highest cost", ours.arrival.highest, ours.largest_first.highest),
        ("sum of costs", ours.arrival.sum, ours.largest_first.sum),
    ):
        best, proven = _optimum(Ledger(CONFIGURATION, fleet), requests, highest=goal.startswith("highest"))
        found.append(Gap(goal, in_arrival, in_size, best, proven))
    return found


def _optimum(ledger: Ledger, requests: list[Request], *, highest: bool) -> tuple[float, bool]:
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    hosts = range(len(ledger.hosts))
    sizes = sorted({(request.memory_bytes // GIB, request.vcpus) for request in requests})
    counts = [sum((request.memory_bytes // GIB, request.vcpus) == size for request in requests) for size in sizes]
    placed = [
        [model.new_int_var(0, count, f"{size}@{host}") for host in hosts]
        for size, count in zip(sizes, counts, strict=True)
    ]
    for row, count in zip(placed, counts, strict=True):
        model.add(sum(row) == count)
    costs = [_cost(model, ledger, host, sizes, [row[host] for row in placed]) for host in hosts]
    if highest:
        top = model.new_int_var(0, 100 * UNIT, "highest")
        for cost in costs:
            model.add(cost <= top)
        model.minimize(top)
    else:
        model.minimize(sum(costs))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = SECONDS
    solver.parameters.num_workers = 2
    status = solver.solve(model)
    return solver.best_objective_bound / UNIT, status == cp_model.OPTIMAL


def _cost(
    model: cp_model.CpModel, ledger: Ledger, host: int, sizes: list[tuple[int, int]], here: list[cp_model.IntVar]
) -> cp_model.LinearExprT:
    """Write a host's cost down: each curve is convex, so at least as high as its two straight lines."""
    line = ledger.hosts[host]
    memory = line.memory // GIB + sum(size[0] * count for size, count in zip(sizes, here, strict=True))
    vcpus = line.vcpus + sum(size[1] * count for size, count in zip(sizes, here, strict=True))
    model.add(memory <= 255)
    model.add(vcpus <= 256)
    by_memory = model.new_int_var(0, 10 * UNIT, f"memory of {host}")
    model.add(by_memory >= memory)
    model.add(by_memory >= UNIT + 9 * (memory - 128))
    by_vcpus = model.new_int_var(0, 10 * UNIT, f"vcpus of {host}")
    model.add(by_vcpus >= 2 * vcpus)
    model.add(by_vcpus >= UNIT + 6 * (vcpus - 64))
    return by_memory + by_vcpus
