"""Decisions made again, for people: how many would go elsewhere, which, and why."""

from collections.abc import Iterable
from pathlib import Path

from core.codes import ReplayOutcome
from core.operations.scheduling.replay import Destination, ReplayResult, UnreadableLine
from core.text import one_line, plural
from tui.cli.output import headings, print_table, say
from tui.cli.placement.replay_summary import Summary
from tui.render.figures import cost_text

MOST_ROWS = 200
"""Decisions that are listed; the rest is counted."""

MOST_PROBLEMS = 10

_OUTCOMES = {
    ReplayOutcome.SAME: "unchanged",
    ReplayOutcome.OTHER_COST: "on the same host at a different cost",
    ReplayOutcome.OTHER_HOST: "on a different host",
    ReplayOutcome.NO_HOST: "no longer placed",
    ReplayOutcome.A_HOST: "now placed",
}


def print_report(
    log: Path, outcomes: Iterable[ReplayResult | UnreadableLine], summary: Summary, *, tell_all: bool = False
) -> None:
    """Print the decisions that would go elsewhere (or all of them), after how many there are; problems as they come."""
    listed: list[ReplayResult] = []
    more = problems = 0
    for outcome in outcomes:
        if isinstance(outcome, UnreadableLine):
            problems += 1
            if problems <= MOST_PROBLEMS:
                say(f"{log}:{outcome.line}: {one_line(outcome.problem)}", error=True)
        elif tell_all or outcome.outcome.changes:
            if len(listed) < MOST_ROWS:
                listed.append(outcome)
            else:
                more += 1
    if summary.unreadable > MOST_PROBLEMS:
        say(f"{log}: and {summary.unreadable - MOST_PROBLEMS} more lines that are not decisions", error=True)
    for host in sorted(summary.unknown_hosts):
        say(f"warning: no decision knows host {host!r}", error=True)
    _print_summary(summary)
    if listed:
        say()
        columns = headings(">Line", "When", "VM", "Then", "Now", "Why")
        print_table(columns, [_row(outcome) for outcome in listed])
    if more:
        say(f"and {more} more: --json lists them all")


def _print_summary(summary: Summary) -> None:
    count = summary.decisions
    decisions = plural(count, "decision")
    if not summary.compares_digests:
        say(f"{decisions} replayed, each with its own configuration")
    elif not count:
        say("No decisions in the log")
        return
    else:
        by_it = "all" if summary.made_by_it == count else summary.made_by_it or "none"
        say(f"{decisions} replayed with this configuration; {by_it} of them were made with it")
    told = [f"{summary.outcomes[outcome.value]} {words}" for outcome, words in _OUTCOMES.items()
            if summary.outcomes[outcome.value]]  # fmt: skip
    say("; ".join(told))


def _row(outcome: ReplayResult) -> list[str]:
    decision = outcome.decision
    number = f" #{outcome.vm_number}" if decision.count > 1 else ""
    name = decision.vm or decision.operation or decision.id or "-"
    return [str(outcome.line), _when(decision.time), name + number, _seat(outcome.then), _seat(outcome.now),
            one_line(outcome.why) or _OUTCOMES[outcome.outcome]]  # fmt: skip


def _when(time: str) -> str:
    return time[:16].replace("T", " ") if len(time) >= 16 else time or "-"


def _seat(seat: Destination) -> str:
    if seat.host is None:
        return "no host"
    return seat.host if seat.cost is None else f"{seat.host} at {cost_text(seat.cost, 2)}"
