"""Decisions made again, as one JSON document that is written as it comes: a log of any length takes little memory."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from core.codes import ReplayOutcome
from core.operations.scheduling.replay import Destination, ReplayResult, UnreadableLine
from tui.cli.placement.replay_summary import Summary

MOST_PROBLEMS = 1000
"""Damaged lines that the document lists; `unreadable` counts all."""


def print_document(
    log: Path, outcomes: Iterable[ReplayResult | UnreadableLine], summary: Summary, *, tell_all: bool = False
) -> None:
    """Print the document: `changes` first, then the counts of what was found on the way.

    `changes` has the decisions that would go elsewhere, or all of them. In each, `then` and `now` are those of VM
    `number`, the first that differs; `why` is empty where nothing does.
    """
    problems: list[dict[str, Any]] = []
    opened = False
    for outcome in outcomes:
        if isinstance(outcome, UnreadableLine):
            if len(problems) < MOST_PROBLEMS:
                problems.append({"line": outcome.line, "message": outcome.problem})
        elif tell_all or outcome.outcome.changes:
            click.echo(",\n  " if opened else _opening(log), nl=False)
            click.echo(_json(_row(outcome)), nl=False)
            opened = True
    if not opened:
        click.echo(_opening(log).rstrip(), nl=False)
    counts = {outcome.value.replace("-", "_"): summary.outcomes[outcome.value] for outcome in ReplayOutcome}
    rest = {
        "decisions": summary.decisions,
        **counts,
        "made_by_this_configuration": summary.made_by_it if summary.compares_digests else None,
        "unreadable": summary.unreadable,
        "problems": problems,
        "unknown_hosts": sorted(summary.unknown_hosts),
    }
    click.echo("\n ]" if opened else "]", nl=False)
    click.echo("".join(f',\n "{key}": {_json(value)}' for key, value in rest.items()) + "}")


def _opening(log: Path) -> str:
    return f'{{"log": {_json(str(log))},\n "changes": [\n  '


def _row(outcome: ReplayResult) -> dict[str, Any]:
    decision = outcome.decision
    return {
        "line": outcome.line,
        "id": decision.id,
        "time": decision.time,
        "operation": decision.operation,
        "vm": decision.vm,
        "outcome": outcome.outcome.value,
        "number": outcome.vm_number,
        "then": _seat(outcome.then),
        "now": _seat(outcome.now),
        "why": outcome.why,
    }


def _seat(seat: Destination) -> dict[str, Any]:
    return {"host": seat.host, "cost": seat.cost}


def _json(value: object) -> str:
    return json.dumps(value, allow_nan=False, ensure_ascii=True)
