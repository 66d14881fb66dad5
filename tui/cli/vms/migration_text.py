"""A migration's check and outcome: for people, and as JSON."""

from typing import Any

import click

from core.diagnostics import Severity
from core.errors import RealmsError
from core.operations.migration.location import VMLocation
from core.operations.migration.options import Obstacle
from core.operations.migration.outcome import Migrated
from core.operations.migration.plan import MigrationPlan
from core.placement.engine.rows import verdict_row
from core.text import plural, printable
from tui.cli.output import error_row, say

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.OK: "green"}


def print_plan(plan: MigrationPlan, *, brief: bool = False) -> None:
    """Say where the VM would go and why, then what was checked; `brief`: of that only what is a risk is told later."""
    manner = "live" if plan.live else "offline: it is off"
    say(f"{plan.vm.name}: {plan.source.name} -> {plan.target.name}, {manner}")
    say(why(plan))
    for passed in plan.passed_over:
        say(f"{passed.host} skipped: {passed.what}")
    if brief:
        return
    for obstacle in plan.obstacles:
        _print_obstacle(obstacle)
    errors = len(plan.blockers)
    say("ready to migrate" if plan.ok else plural(errors, "problem"))


def why(plan: MigrationPlan) -> str:
    """Return why this host: its cost, and what it is ahead of."""
    from core.placement.engine.decision import decide
    from tui.cli.placement.text import sentence

    verdict = plan.verdict
    if verdict.refusal is not None:
        return f"{verdict.host} refuses it: {verdict.refusal}"
    cost, before = verdict.cost, verdict.before
    costs = "" if cost is None or before is None else f"cost {before.total:g} now, {cost.total:g} with it"
    able = [each for each in plan.verdicts if each.feasible]
    decision = decide(able) if able and able[0].host == verdict.host else None
    if decision is not None:
        return f"{costs}; {sentence(decision)}"
    best = able[0] if able else None
    if best is not None and best.cost is not None and cost is not None and best.host != verdict.host:
        same = best.cost.total == cost.total
        return f"{costs}; {best.host} {'costs the same' if same else f'is cheaper, at {best.cost.total:g}'}"
    return f"{costs}; no other host can take it"


def _print_obstacle(obstacle: Obstacle) -> None:
    severity = obstacle.severity
    word = "passed" if obstacle.overridden and severity is Severity.ERROR else severity.value
    styled = click.style(f"{word:<7}", fg=None if word == "passed" else _COLOURS.get(severity))
    click.echo(f"  {styled}  {printable(obstacle.check)}: {printable(obstacle.what)}")
    if obstacle.overridden and severity is Severity.ERROR:
        click.echo(f"{' ' * 11}-> {obstacle.overridden_by} was given")
    elif obstacle.mend:
        click.echo(f"{' ' * 11}-> {printable(obstacle.mend)}")


def print_moved(moved: Migrated) -> None:
    """Print where the VM is now."""
    from core.units import show_size

    sent = f", {show_size(moved.bytes_sent)} sent" if moved.bytes_sent else ""
    say(f"{moved.whereabouts.message} ({moved.seconds:.1f} s{sent})")


def document_of(
    plan: MigrationPlan,
    *,
    moved: Migrated | None = None,
    error: RealmsError | None = None,
    whereabouts: VMLocation | None = None,
) -> dict[str, Any]:
    """Return the JSON document. `outcome` is null where only the check was made.

    `outcome.host` is null where nobody knows the VM's host or two have it; `outcome.place` says which.
    """
    found = moved.whereabouts if moved is not None else whereabouts
    outcome = None
    if moved is not None or error is not None:
        outcome = {
            "done": moved is not None,
            "place": found.place.value if found is not None else "source",
            "host": _host_of(plan, found),
            "message": found.message if found is not None else None,
            **error_row(error),
            "seconds": moved.seconds if moved is not None else None,
            "bytes_sent": moved.bytes_sent if moved is not None else None,
        }
    return {
        "vm": plan.vm.name,
        "uuid": plan.vm.uuid,
        "from": plan.source.name,
        "to": plan.target.name,
        "kind": "live" if plan.live else "offline",
        "mode": plan.wish.mode.value,
        "tls": plan.wish.tls,
        "ok": plan.ok,
        "checks": [
            {
                "severity": each.severity.value,
                "check": each.check,
                "what": each.what,
                "mend": each.mend or None,
                "overridden_by": each.overridden_by or None,
                "blocks": each.blocks,
            }
            for each in plan.obstacles
        ],
        "passed_over": [{"host": each.host, "what": each.what} for each in plan.passed_over],
        "verdict": verdict_row(plan.verdict),
        "verdicts": [verdict_row(verdict) for verdict in plan.verdicts],
        "outcome": outcome,
    }


def _host_of(plan: MigrationPlan, found: VMLocation | None) -> str | None:
    from core.operations.migration.location import LocationState

    if found is None:
        return plan.source.name
    match found.place:
        case LocationState.SOURCE | LocationState.OFF_AT_SOURCE:
            return plan.source.name
        case LocationState.TARGET | LocationState.OFF_AT_TARGET:
            return plan.target.name
        case _:
            return None
