"""`realms plan`: what would be, worked out on the live fleet or a saved one."""

from __future__ import annotations

import click

from tui.cli.options import LazyGroup

COMMANDS = {
    "capacity": ("tui.cli.plans.capacity:capacity", "How many more VMs of a size fit, and what stops the next."),
    "failure": ("tui.cli.plans.failure:failure", "Whether the loss of any one host would be survived."),
    "drain": ("tui.cli.plans.moves:drain", "Where the VMs of a host would go, and which can't."),
    "rebalance": ("tui.cli.plans.moves:rebalance", "Moves that even out the costs of the hosts."),
    "resume": ("tui.cli.plans.resume:resume", "Go on with a plan that was stopped, or whose program was killed."),
    "room": ("tui.cli.plans.moves:room", "Moves after which a host takes a VM that none can take."),
    "batch": ("tui.cli.plans.batch:batch", "Where many different VMs would go, in two orders."),
}


@click.group("plan", cls=LazyGroup, lazy=COMMANDS)
def plan() -> None:
    """Work out what would be: on live hosts, or with --fleet on a saved fleet. Nothing changes without --apply."""
