"""The options that all plans of moves share: which VMs may move, whether the moves are made, and how."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import click

from core.errors import UsageError
from core.operations.plans.order import DEFAULT_PARALLEL, MOST_BANDWIDTH, MOST_PARALLEL, MovesKind, PlanOrder
from core.placement.engine.request import Request
from core.placement.plans.demand import MovePolicy
from tui.cli.options import json_option, pass_options, timeout_option, with_options, yes_option
from tui.cli.placement.what_if_options import Changes, change_options

_OPTIONS = (
    click.option("--foreign", is_flag=True, help="Also move foreign VMs."),
    click.option(
        "--with-devices/--without-devices", default=None, show_default="without-devices",
        help="Also move VMs with PCI devices: each is shut down, moved and restarted.",
    ),
    click.option("--offline", is_flag=True, hidden=True),
    click.option("--live-only", is_flag=True, hidden=True),
    click.option(
        "--apply", "carries_out", is_flag=True, help="Make the moves after confirmation; each is planned again "
"before it starts.",
    ),
    click.option(
        "--parallel", type=click.IntRange(1, MOST_PARALLEL), default=DEFAULT_PARALLEL, show_default=True, metavar="N",
        help="With --apply: at most N parallel moves per host.",
    ),
    click.option(
        "--bandwidth", type=click.IntRange(1, MOST_BANDWIDTH), default=None, metavar="MIB/S",
        help="With --apply: bandwidth limit of each live migration.",
    ),
    yes_option,
    timeout_option,
    change_options,
    json_option,
    pass_options,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the options said. `bandwidth` is in MiB/s; None: no limit."""

    policy: MovePolicy
    carries_out: bool
    parallel: int
    bandwidth: int | None
    yes: bool
    timeout: float
    changes: Changes
    as_json: bool

    def order(
        self, kind: MovesKind, *, host: str = "", most: int | None = None, request: Request | None = None
    ) -> PlanOrder:
        """Return the plan that is asked for on these terms."""
        return PlanOrder(
            kind=kind, host=host, most=most, request=request, policy=self.policy, parallel=self.parallel,
            bandwidth=self.bandwidth or 0,
        )  # fmt: skip


def move_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command; after the global options it gets them as one argument, `Terms`."""

    @functools.wraps(command)
    def gather(
        options: Any, *, foreign: bool, with_devices: bool | None, offline: bool, live_only: bool, **given: Any
    ) -> Any:
        policy = MovePolicy(foreign=foreign, with_devices=_moves_devices(with_devices, offline, live_only))
        said = {field.name: given.pop(field.name) for field in fields(Terms) if field.name in given}
        return command(options, Terms(policy=policy, **said), **given)

    return with_options(gather, _OPTIONS)


def _moves_devices(with_devices: bool | None, offline: bool, live_only: bool) -> bool:
    """Read the option and its former names, --offline and --live-only; raises UsageError for a contradiction."""
    if (with_devices or offline) and (with_devices is False or live_only):
        raise UsageError("conflicting options for VMs with PCI devices", hint="use --with-devices or --without-devices")
    return bool(with_devices) or offline
