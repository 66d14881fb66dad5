"""What if, for people: what was changed, what differs by it, and how to keep it."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain

from core.fleet.fleet import Connection, Fleet
from core.placement.engine.verdicts import Placements, Verdict
from core.placement.what_if.comparison import HostCompared, compare_rankings
from core.placement.what_if.sandbox import Sandbox
from core.text import plural
from tui.cli.output import headings, print_table, say, say_folded
from tui.render.figures import cost_text, decimals

MOST_ROWS = 100
"""Hosts that differ and are listed; the rest is counted."""


@contextmanager
def in_thought(sandbox: Sandbox) -> Iterator[None]:
    """Return first what is only thought, and after the answer which hosts are silent and what would make it so."""
    what_if(sandbox)
    yield
    tell_silent(sandbox.after.fleet)
    keep(sandbox)


def tell_silent(fleet: Fleet) -> None:
    """Print which hosts don't answer, and why: a plan knows of them what was last seen, if anything."""
    silent = [
        snapshot
        for snapshot in fleet.hosts
        if snapshot.host.state.connects and snapshot.connection is not Connection.CONNECTED
    ]
    if not silent:
        return
    say()
    say(f"{fleet.hosts_answering} of {fleet.hosts_total} hosts answered; no answer from:")
    for snapshot in silent:
        say_folded(f"{snapshot.name}: {snapshot.error or 'no answer in time'}", "  ")


def what_if(sandbox: Sandbox) -> None:
    """Print first what is only thought, if anything is."""
    for index, change in enumerate(sandbox.changes):
        say(f"{'What if' if index == 0 else '    and'}  {' '.join(str(change).split())}")
    if sandbox.changes:
        say()


def differences(before: Placements, after: Placements) -> None:
    """Print which hosts rank, cost or refuse otherwise than without the changes."""
    say()
    if after.count > 1 or before.placed != after.placed:
        say(f"Placed without the changes: {before.placed} of {before.count}; with them: {after.placed}")
    compared = compare_rankings(before.verdicts, after.verdicts)
    differing = [host for host in compared if host.differs]
    if not differing:
        say("The ranking is unchanged" + (" of the first VM" if after.count > 1 else ""))
        return
    costs = (each.cost.total for host in differing for each in (host.before, host.after) if each and each.cost)
    digits = decimals(chain(costs))
    rows = [
        [host.host, _said(host.rank_before, host.before, digits), _said(host.rank_after, host.after, digits),
         _change(host, digits)]
        for host in differing[:MOST_ROWS]
    ]  # fmt: skip
    print_table(headings("Differs", "Without", "With", "By"), rows)
    if len(differing) > MOST_ROWS:
        say(f"and {len(differing) - MOST_ROWS} more hosts that differ")
    same = len(compared) - len(differing)
    if same:
        say(f"{plural(same, 'other host')} unchanged")


def _said(rank: int | None, verdict: Verdict | None, digits: int) -> str:
    if verdict is None:
        return "absent"
    if rank is None or verdict.cost is None:
        return verdict.refusal.why.value if verdict.refusal is not None else "-"
    return f"#{rank} at {cost_text(verdict.cost.total, digits)}"


def _change(host: HostCompared, digits: int) -> str:
    before, after = host.before, host.after
    if after is not None and after.refusal is not None:
        return after.refusal.message
    if before is not None and before.refusal is not None:
        return "can take it"
    if before is None or after is None or before.cost is None or after.cost is None:
        return ""
    rise = after.cost.total - before.cost.total
    return cost_text(rise, digits, signed=True) if rise else "rank only"


def keep(sandbox: Sandbox) -> None:
    """Print what would make the changes real."""
    if sandbox.hocon:
        say()
        say("To keep this, append to the main configuration file (lines with # are commands):"
            if "#" in sandbox.hocon else "To keep this, append to the main configuration file:")  # fmt: skip
        for line in sandbox.hocon.splitlines():
            say(f"    {line}")
