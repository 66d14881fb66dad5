"""`realms plan`: what would be, worked out on the live fleet or a saved one."""

import click

from tui.cli.options import LazyGroup

COMMANDS = {
    "capacity": ("tui.cli.plans.capacity:capacity", "Show how many more VMs of a size fit."),
    "failure": ("tui.cli.plans.failure:failure", "Check whether any host can fail."),
    "drain": ("tui.cli.plans.moves:drain", "Plan to drain a host."),
    "rebalance": ("tui.cli.plans.moves:rebalance", "Plan to rebalance hosts by cost."),
    "resume": ("tui.cli.plans.resume:resume", "Resume an interrupted plan."),
    "room": ("tui.cli.plans.moves:room", "Plan moves that make room for a VM."),
    "batch": ("tui.cli.plans.batch:batch", "Plan where many different VMs would go."),
}


@click.group("plan", cls=LazyGroup, lazy=COMMANDS)
def plan() -> None:
    """Plan changes on live hosts, or with --fleet on a saved fleet. Nothing changes without --apply."""
