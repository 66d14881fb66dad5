"""The options that `realms bricks`, `drives` and `volumes` have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tui.cli.options import json_option, pass_options, yes_option

if TYPE_CHECKING:
    from collections.abc import Callable

realm_option = click.option("--realm", metavar="ID", help="The realm; needed where there are several.")
timeout_option = click.option(
    "--timeout", type=click.FloatRange(min=0.1, max=3600), default=30.0, show_default=True, metavar="SECONDS",
    help="How long connecting to a host may take.",
)  # fmt: skip


def deleting(never: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Give a command the name of what it deletes and its options; `never` says where --force deletes nothing either."""
    options = (
        click.argument("name"),
        click.option(
            "--force", is_flag=True, help=f"Also where nobody can tell whether it is in use; never where {never}."
        ),
        yes_option,
        realm_option,
        timeout_option,
        json_option,
        pass_options,
    )

    def declare(command: Callable[..., int]) -> Callable[..., int]:
        for option in reversed(options):
            command = option(command)
        return command

    return declare
