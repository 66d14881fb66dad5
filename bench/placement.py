"""Placement and plans: figures at several sizes, beside Ganeti's htools on the same fleets where they are installed.

What runs in this process, and what peers do, is measured in processor time, which other work on the machine blurs less;
`realms place` also by the clock, as who waits for it would.
"""

from __future__ import annotations

import importlib.util
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bench import htools
from bench.fleets import CONFIGURATION, GIB, HOCON, make_fleet, memory_shares
from bench.goals import Goal, judge, keep
from core.fleet.file import write_file
from core.fleet.fleet import Fleet
from core.placement.arrays.mixture import each_best_on_arrays
from core.placement.arrays.packed import PackedFleet
from core.placement.arrays.ranking import Ranking
from core.placement.arrays.stream import Stream
from core.placement.engine import engine
from core.placement.engine.ledger import Ledger
from core.placement.engine.request import Request
from core.placement.plans.capacity import capacity
from core.placement.plans.demand import MovePolicy
from core.placement.plans.drain import drain
from core.placement.plans.failure import failure
from core.placement.plans.rebalance import rebalance

REALMS = str(Path(sys.executable).with_name("realms"))
ONE = Request(2, 4 * GIB)
SIXTEEN = [Request(vcpus, gib * GIB) for vcpus in (1, 2, 4, 8) for gib in (2, 4, 8, 16)]
NO_NOTE = ""


def _at_most(bound: float, unit: str = "ms") -> Goal:
    return Goal(bound, unit)


def _at_least(bound: float) -> Goal:
    return Goal(bound, "/s", more_is_better=True)


def line(what: str, value: str, note: str = NO_NOTE) -> None:
    """Print one figure."""
    print(f"{what:<66} {value:>34}  {note}", flush=True)


def milliseconds(
    what: str, measure: Callable[[], object], goal: Goal | None, runs: int, remark: str = NO_NOTE
) -> float:
    """Measure runs of something, print the median and the best; gives the median in milliseconds."""
    figures = [1000 * seconds for seconds in _timed(measure, runs, time.process_time)]
    line(what, f"{statistics.median(figures):9.3f} ms (best {min(figures):9.3f})", judge(what, goal, figures) or remark)
    return statistics.median(figures)


def rate(what: str, count: int, measure: Callable[[], object], goal: Goal | None, runs: int) -> None:
    """Measure how many placements a second something makes."""
    figures = [count / seconds for seconds in _timed(measure, runs, time.process_time)]
    line(what, f"{statistics.median(figures):9,.0f} /s (best {max(figures):9,.0f})", judge(what, goal, figures))


def _timed(measure: Callable[[], object], runs: int, clock: Callable[[], float]) -> list[float]:
    """Measure seconds of as many runs, after one that doesn't count."""
    measure()
    figures = []
    for _ in range(runs):
        started = clock()
        measure()
        figures.append(max(1e-6, clock() - started))
    return figures


def main(runs: int = 7) -> None:
    """Run them all."""
    if not htools.installed():
        print(htools.ABSENT)
    one_request(runs)
    many_equal(runs)
    many_sizes(max(1, runs // 2))
    count_capacity(runs)
    lose_hosts(runs)
    milliseconds("drain of one host of 100 (ledger at hand)", _drain(100, 2000), _at_most(1), runs)
    even_out(runs)
    from_the_shell(runs)
    greedy_against_optimum()


def loop_ms(runs: int = 5) -> float:
    """Return the milliseconds that a million turns of an empty loop take: how quick this machine is for Python."""

    def turns() -> None:
        for _ in range(1_000_000):
            pass

    return 1000 * min(_timed(turns, runs, time.process_time))


def one_request(runs: int) -> None:
    """Rank all hosts for one VM, every term at hand; grown from 10 to 100,000 hosts."""
    goals = {100: _at_most(0.2), 1000: _at_most(0.6), 10_000: _at_most(3)}
    for hosts in (10, 100, 1000, 10_000, 100_000):
        fleet = make_fleet(hosts, 10 * hosts)
        started = time.process_time()
        packed = PackedFleet(Ledger(CONFIGURATION, fleet))
        opened = 1000 * (time.process_time() - started)
        ranking = milliseconds(
            f"one request, {hosts:,} hosts: ranked, every term", lambda packed=packed: Ranking(packed, ONE),
            goals.get(hosts), runs * 3, f"{opened:.1f} ms to open the ledger",
        )  # fmt: skip
        if hosts <= 1000:
            milliseconds(
                f"  the plain engine, {hosts:,} hosts, every verdict made",
                lambda fleet=fleet: engine.rank(CONFIGURATION, fleet, ONE), None, 3, f"{ranking:.3f} ms above",
            )  # fmt: skip
        if hosts in (100, 1000) and htools.installed() and (seconds := htools.place_one(fleet)) is not None:
            line(f"  peer: hail, {hosts:,} hosts, one VM", f"{1000 * seconds:9.0f} ms", "for comparison")


def many_equal(runs: int) -> None:
    """Ten thousand equal VMs one by one, on empty and on loaded fleets."""
    for hosts in (10, 100, 1000, 10_000, 100_000):
        for kind, fleet in (("empty", make_fleet(hosts, 0)), ("loaded", make_fleet(hosts, 5 * hosts))):
            packed = PackedFleet(Ledger(CONFIGURATION, fleet))
            placed = len(Stream(packed, ONE, 10_000))
            goal = _at_least(300_000) if hosts == 1000 else None
            what = f"{placed:,} equal VMs on {hosts:,} {kind} hosts"
            rate(what, placed, lambda packed=packed: Stream(packed, ONE, 10_000), goal, runs)
    packed = PackedFleet(Ledger(CONFIGURATION, make_fleet(1000, 5000)))
    rate("  with an object made for each placement, 1,000 loaded hosts", 10_000,
         lambda: Stream(packed, ONE, 10_000).placements, None, runs)  # fmt: skip
    fleet = make_fleet(1000, 0)
    rate("  the plain engine, 1,000 empty hosts, verdicts included", 10_000,
         lambda: engine.place(CONFIGURATION, fleet, ONE, 10_000), None, 1)  # fmt: skip
    if htools.installed():
        for hosts, count in ((20, 1000), (100, 300)):
            line(f"  peer: hspace, {hosts} empty hosts", f"{htools.stream(hosts, count):9,.0f} /s", "for comparison")


def many_sizes(runs: int) -> None:
    """Ten thousand VMs of sixteen sizes, mixed."""
    for hosts in (10, 100, 1000, 10_000, 100_000):
        fleet = make_fleet(hosts, 5 * hosts)
        count = min(10_000, 20 * hosts)
        requests = [SIXTEEN[(number * 7919) % 16] for number in range(count)]
        goal = _at_least(50_000) if hosts == 1000 else None
        rate(f"{count:,} VMs of 16 sizes, mixed, on {hosts:,} hosts", count,
             lambda fleet=fleet, requests=requests: list(
                 each_best_on_arrays(Ledger(CONFIGURATION, fleet), requests)), goal, runs)  # fmt: skip


def count_capacity(runs: int) -> None:
    """How many more fit, beside hspace's count on several fleets."""
    for hosts, vms, goal in ((20, 400, None), (100, 2000, _at_most(10)), (1000, 10_000, None), (10_000, 100_000, None)):
        fleet = make_fleet(hosts, vms)
        milliseconds(f"capacity, {hosts:,} hosts with {vms:,} VMs",
                     lambda fleet=fleet: capacity(CONFIGURATION, fleet, ONE), goal, runs)  # fmt: skip
    if not htools.installed():
        return
    fleets = [make_fleet(20, 400, seed=seed, skew=seed > 3) for seed in range(1, 7)] + [make_fleet(100, 2000)]
    equal, seconds = 0, 0.0
    for fleet in fleets:
        theirs, seconds = htools.capacity(fleet)
        ours = capacity(CONFIGURATION, fleet, ONE).total
        equal += ours == theirs
        if ours != theirs:
            line("  NOT EQUAL to hspace", f"{ours} against {theirs}")
    line("  peer: hspace, 100 hosts with 2,000 VMs", f"{seconds:9.1f} s", keep(
        "capacity, beside hspace's", "goal the same count", f"equal on {equal} of {len(fleets)} fleets",
        met=equal == len(fleets)))  # fmt: skip


def lose_hosts(runs: int) -> None:
    """Lose each host by itself."""
    for hosts, vms, goal in (
        (10, 100, None),
        (100, 2000, _at_most(20)),
        (1000, 10_000, _at_most(100)),
        (10_000, 100_000, None),
    ):
        fleet = make_fleet(hosts, vms)
        milliseconds(f"failure check, {hosts:,} hosts with {vms:,} VMs",
                     lambda fleet=fleet: failure(CONFIGURATION, fleet), goal, runs)  # fmt: skip
    if htools.installed():
        line("  peer: hcheck, 100 hosts with 2,000 VMs", f"{htools.failure(make_fleet(100, 2000)):9.1f} s")


def _drain(hosts: int, vms: int) -> Callable[[], object]:
    fleet = make_fleet(hosts, vms)
    ledger = Ledger(CONFIGURATION, fleet)
    return lambda: drain(CONFIGURATION, fleet, fleet.hosts[3].name, MovePolicy(with_devices=True), ledger=ledger)


def even_out(runs: int) -> None:
    """Rebalance, beside hbal's moves and the spread that they leave."""
    fleet = make_fleet(20, 400, skew=True)
    milliseconds("rebalance, 20 hosts with 400 VMs", lambda: rebalance(CONFIGURATION, fleet), _at_most(10), runs)
    fleets = [(seed, skew) for skew in (False, True) for seed in (1, 2, 3, 8)]
    as_good = 0
    for seed, skew in fleets:
        fleet = make_fleet(20, 400, seed=seed, skew=skew)
        moves = [(move.vm.name, move.target) for move in rebalance(CONFIGURATION, fleet).moves]
        least, most = _spread(fleet, moves)
        ours, theirs = f"{len(moves)} moves, {least:.1f} to {most:.1f} %", NO_NOTE
        if htools.installed():
            their_moves, seconds = htools.rebalance(fleet)
            their_least, their_most = _spread(fleet, their_moves)
            theirs = f"hbal {len(their_moves)} moves, {their_least:.1f} to {their_most:.1f} %, {seconds:.1f} s"
            as_good += len(moves) <= len(their_moves) and most - least <= their_most - their_least + 1e-9
        line(f"  moves and spread of memory, seed {seed}{', crowded' if skew else ''}", ours, theirs)
    if htools.installed():
        what = "  no more moves than hbal, and no wider a spread"
        words = f"on {as_good} of {len(fleets)} fleets"
        line(what, NO_NOTE, keep(what, "goal all of them", words, met=as_good == len(fleets)))


def _spread(fleet: Fleet, moves: list[tuple[str, str]]) -> tuple[float, float]:
    """Return the least and the most of a host's memory that is in use after some moves, in per cent."""
    where = {vm.name: vm.host for vm in fleet.vms()} | dict(moves)
    hosts = {snapshot.name: replace(snapshot, vms=()) for snapshot in fleet.hosts}
    by_host = {name: [vm for vm in fleet.vms() if where[vm.name] == name] for name in hosts}
    after = Fleet(0.0, tuple(replace(host, vms=tuple(by_host[name])) for name, host in hosts.items()))
    shares = memory_shares(after).values()
    return min(shares), max(shares)


def from_the_shell(runs: int) -> None:
    """`realms place --fleet` from its start to its answer."""
    with tempfile.TemporaryDirectory() as folder:
        configuration, file = Path(folder, "bench.conf"), Path(folder, "fleet.json")
        configuration.write_text(HOCON)
        for hosts, vms in ((10, 100), (1000, 0), (1000, 10_000)):
            fleet = make_fleet(hosts, vms)
            write_file(file, replace(fleet, taken=1_795_341_600.0, hosts=tuple(
                replace(host, observed_at=1_795_341_600.0) for host in fleet.hosts)), CONFIGURATION)  # fmt: skip
            command = [REALMS, "--config", str(configuration), "--fleet", str(file), "place", "--vcpus", "2",
                       "--memory", "4 GiB", "--json"]  # fmt: skip
            answer = subprocess.run(command, capture_output=True, text=True, check=True)
            assert json.loads(answer.stdout)["placed"] == 1
            what = f"realms place --fleet, {hosts:,} hosts with {vms:,} VMs, start to answer"
            figures = [1000 * seconds for seconds in _timed(
                lambda command=command: subprocess.run(command, capture_output=True, check=True), runs,
                time.perf_counter)]  # fmt: skip
            processor = [1000 * seconds for seconds in _timed(
                lambda command=command: subprocess.run(command, capture_output=True, check=True), 3,
                _of_children)]  # fmt: skip
            line(what, f"{statistics.median(figures):9.0f} ms (best {min(figures):9.0f})",
                 judge(what, _at_most(500) if hosts == 1000 else None, figures))  # fmt: skip
            line("  its processor time", f"{min(processor):9.0f} ms")


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def greedy_against_optimum() -> None:
    """Say by how many per cent one VM after another stays behind the optimum."""
    if importlib.util.find_spec("ortools") is None:
        print("OR-tools are not installed (pip install '.[bench]'): no optimum to compare with in this run")
        return
    from bench.optimum import gaps

    for seed in (1, 2, 3):
        for gap in gaps(seed):
            arrival, by_size = (100 * (value / gap.best - 1) for value in (gap.arrival, gap.largest_first))
            best = "the optimum" if gap.proven else "a bound"
            line(f"batch on 5 crowded hosts, seed {seed}: {gap.goal} above {best}",
                 f"{arrival:.1f} % (largest first {by_size:.1f} %)")  # fmt: skip


if __name__ == "__main__":
    main()
