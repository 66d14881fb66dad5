"""Start-up, memory and idle figures of the program beside a bare Textual table; its polls beside one call per VM."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench.goals import Goal, judge, machine, summary
from bench.placement import loop_ms
from bench.placement import main as placement
from bench.polling import polling
from bench.terminal import on_terminal

REALMS = str(Path(sys.executable).with_name("realms"))
EXAMPLE = Path(__file__).parent.parent / "tests/data/examples/valid/v06-pools-includes/ticrypt-vm.conf"
PEER = [sys.executable, str(Path(__file__).with_name("bare_table.py"))]
A_VM = r"(web|db|build|desk|notes|stats|mail|proxy|study|intake|train|infer|render|fold|legacy)-\d\d"
IDLE_SECONDS = 20.0


def whole_run(*command: str) -> float:
    """Seconds of a whole process."""
    started = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.perf_counter() - started


def until(command: list[str], pattern: str) -> tuple[float, float]:
    """Seconds until a program has drawn something, and what it took of a processor's time."""
    with on_terminal(command) as screen:
        return screen.wait_for(pattern), screen.cpu_seconds()


def at_rest(command: list[str], pattern: str) -> tuple[float, float, float]:
    """Resident MB, per cent of one processor, and bytes sent each second once the program has come to rest."""
    with on_terminal(command) as screen:
        screen.wait_for(pattern)
        screen.drain(6.0)
        cpu, started = screen.cpu_seconds(), time.monotonic()
        sent = screen.drain(IDLE_SECONDS)
        elapsed = time.monotonic() - started
        return screen.resident_mb(), 100 * (screen.cpu_seconds() - cpu) / elapsed, sent / elapsed


def report(what: str, figures: list[float], unit: str, goal: float | None = None) -> None:
    """Print one line: the median first."""
    middle = statistics.median(figures)
    verdict = "for comparison" if goal is None else judge(what, Goal(goal, unit), figures)
    runs = f"({min(figures):.3f} to {max(figures):.3f}, {len(figures)} runs)"
    print(f"{what:<58} {middle:8.3f} {unit:<4} {runs}  {verdict}", flush=True)


def several(measure: Callable[[], float], runs: int) -> list[float]:
    """One run that doesn't count, then as many as asked for."""
    measure()
    return [measure() for _ in range(runs)]


def main() -> None:
    """Run them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7, help="runs of each short benchmark")
    parser.add_argument("--polling", action="store_true", help="only what a poll of a real host costs")
    parser.add_argument("--placement", action="store_true", help="only placement and plans")
    options = parser.parse_args()
    started = time.monotonic()
    print(f"before: {machine(loop_ms())}", flush=True)
    everything = not (options.placement or options.polling)
    if everything:
        terminal_figures(options.runs)
    if everything or options.polling:
        polling()
    if everything or options.placement:
        placement(options.runs)
        print(summary())
    print(f"after {(time.monotonic() - started) / 60:.0f} minutes: {machine(loop_ms())}")


def terminal_figures(runs: int) -> None:
    """Measure what a user waits for."""
    report("realms --help", several(lambda: whole_run(REALMS, "--help"), runs), "s", 0.15)
    check = several(lambda: whole_run(REALMS, "check", str(EXAMPLE)), runs)
    report("realms check, pools and includes", check, "s", 0.4)
    for what, pattern, command, goal in (
        ("demo: first paint", "Libvirt Realms", [REALMS, "demo"], 0.4),
        ("demo: first VM on screen", A_VM, [REALMS, "demo"], 0.6),
        ("peer, bare Textual table of 500 rows: first row", "row-0", PEER, None),
    ):
        figures = [until(command, pattern) for _ in range(runs + 1)][1:]
        report(what, [seconds for seconds, _ in figures], "s", goal)
        report("  its processor time", [used for _, used in figures], "s")
    ours = [at_rest([REALMS, "demo", "--hosts", "8", "--vms", "500", "--still"], A_VM) for _ in range(3)]
    peer = [at_rest(PEER, "row-0")]
    for index, (what, unit, goal) in enumerate(
        (("memory", "MB", 70.0), ("idle CPU", "%", 1.0), ("bytes sent when idle", "B/s", 0.0))
    ):
        report(f"demo with 500 VMs: {what}", [run[index] for run in ours], unit, goal)
        report(f"peer, bare Textual table of 500 rows: {what}", [run[index] for run in peer], unit)


if __name__ == "__main__":
    main()
