"""What all plans have in common: the fleet that they are asked of, with changes in thought, and their documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.cli.output import say, say_folded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.placement.plans.demand import Stuck
    from core.placement.what_if.sandbox import Sandbox


def document(sandbox: Sandbox, before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Return a plan's document: of how many hosts it knows, and beside changes in thought the plan without them."""
    fleet = sandbox.after.fleet
    whole = {**after, "hosts_answering": fleet.hosts_answering, "hosts_total": fleet.hosts_total}
    if sandbox.changes:
        whole["what_if"] = {
            "changes": [str(change) for change in sandbox.changes],
            "hocon": sandbox.hocon,
            "before": before,
        }
    return whole


def tell_stuck(title: str, stuck: Iterable[Stuck]) -> None:
    """Name the VMs that can't move, or have no place; those of one reason together. Without any it prints nothing."""
    by_reason: dict[str, list[str]] = {}
    for each in stuck:
        by_reason.setdefault(each.message, []).append(each.vm.name)
    if not by_reason:
        return
    say()
    say_folded(title)
    for message, names in by_reason.items():
        say_folded(", ".join(names), "  ")
        say_folded(message, "    ")
