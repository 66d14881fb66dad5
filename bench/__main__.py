"""Start-up, memory and idle figures of the program beside a bare Textual table; its polls beside one call per VM."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

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


def first_paint() -> float:
    """Seconds to the demo's first frame."""
    with on_terminal([REALMS, "demo"]) as screen:
        return screen.wait_for("Libvirt Realms")


def first_vm() -> float:
    """Seconds to the first VM in the demo's table of VMs."""
    with on_terminal([REALMS, "demo"]) as screen:
        return screen.wait_for(A_VM)


def peer_paint() -> float:
    """Seconds to the first row of the bare table."""
    with on_terminal(PEER) as screen:
        return screen.wait_for("row-0")


def at_rest(command: list[str], pattern: str) -> tuple[float, float, float]:
    """Resident MiB, per cent of one processor, and bytes sent each second once the program has come to rest."""
    with on_terminal(command) as screen:
        screen.wait_for(pattern)
        screen.drain(6.0)
        cpu, started = screen.cpu_seconds(), time.monotonic()
        sent = screen.drain(IDLE_SECONDS)
        elapsed = time.monotonic() - started
        return screen.resident_mib(), 100 * (screen.cpu_seconds() - cpu) / elapsed, sent / elapsed


def report(what: str, figures: list[float], unit: str, goal: str) -> None:
    """Print one line: the median first."""
    middle = statistics.median(figures)
    print(f"{what:<58} {middle:8.3f} {unit:<4} ({min(figures):.3f} to {max(figures):.3f}, {len(figures)} runs)  {goal}")


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
    if options.placement:
        placement(options.runs)
        return
    if not options.polling:
        terminal_figures(options.runs)
    polling()
    if not options.polling:
        placement(options.runs)


def terminal_figures(runs: int) -> None:
    """Measure what a user waits for."""
    report("realms --help", several(lambda: whole_run(REALMS, "--help"), runs), "s", "goal 0.15 s")
    check = several(lambda: whole_run(REALMS, "check", str(EXAMPLE)), runs)
    report("realms check, pools and includes", check, "s", "goal 0.4 s")
    report("demo: first paint", several(first_paint, runs), "s", "goal 0.4 s")
    report("demo: first VM on screen", several(first_vm, runs), "s", "goal 0.6 s")
    report("peer, bare Textual table of 500 rows: first row", several(peer_paint, runs), "s", "for comparison")
    ours = [at_rest([REALMS, "demo", "--hosts", "8", "--vms", "500", "--still"], A_VM) for _ in range(3)]
    peer = [at_rest(PEER, "row-0") for _ in range(3)]
    for index, (what, unit, goal) in enumerate(
        (("memory", "MiB", "goal 70 MB"), ("idle CPU", "%", "goal 1 %"), ("bytes sent when idle", "B/s", "goal 0"))
    ):
        report(f"demo with 500 VMs: {what}", [run[index] for run in ours], unit, goal)
        report(f"peer, bare Textual table of 500 rows: {what}", [run[index] for run in peer], unit, "for comparison")


if __name__ == "__main__":
    main()
