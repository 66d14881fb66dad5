"""`realms plan batch`: different VMs placed one after another, in order of arrival and the largest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from core.errors import UsageError
from core.text import plural
from tui.cli.options import GlobalOptions, RealmsCommand, json_option, pass_options, timeout_option
from tui.cli.output import headings, say_folded
from tui.cli.placement.what_if_options import VMMoreType, change_options, sandbox_of
from tui.cli.plans.options import document

if TYPE_CHECKING:
    from core.config.model import Configuration
    from core.fleet.fleet import Fleet
    from core.placement.engine.request import Request
    from core.placement.plans.batch import BatchComparison, BatchPlan
    from core.placement.what_if.sandbox import Compared, Sandbox
    from tui.cli.placement.what_if_options import Changes

MOST_VMS = 100_000
"""VMs of one batch."""


class _SizeType(VMMoreType):
    """What each of some VMs asks for: its mistakes are told as those of a number of VMs, not of one on a host."""

    name = "N=VCPUS,SIZE[,TYPE[=N]...]"
    what = "number of VMs of a size"
    such_as = "20=8,64GiB"


class SomeVMsType(click.ParamType):  # type: ignore[type-arg]  # older clicks' takes none
    """A number of equal VMs: `20=8,64GiB,a100=1`."""

    name = "N=VCPUS,SIZE[,TYPE[=N]...]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, Request]:
        """Split the number from what each VM asks for, or fail with what would be right."""
        if isinstance(value, tuple):
            return value
        number = value.partition("=")[0].strip()
        if not (number.isascii() and number.isdigit()) or len(number) > 6 or not 1 <= int(number) <= MOST_VMS:
            self.fail(f"{value!r} is not a number of VMs: use {self.name}, such as 20=8,64GiB", param, ctx)
        _, request = _SizeType().convert(value, param, ctx)
        return int(number), request


@click.command("batch", cls=RealmsCommand)
@click.argument("vms", type=SomeVMsType(), nargs=-1, required=True, metavar="N=VCPUS,SIZE[,TYPE=N]...")
@click.option("--realm", metavar="ID", help="Only hosts of this realm.")
@timeout_option
@change_options
@json_option
@pass_options
def batch(
    options: GlobalOptions,
    *,
    vms: tuple[tuple[int, Request], ...],
    realm: str | None,
    timeout: float,
    changes: Changes,
    as_json: bool,
) -> int:
    """Plan where many different VMs would go, such as 20=8,64GiB 5=4,32GiB,a100=1.

    Changes nothing. Tries the given order and largest first, to compare them. Exit code 1 if neither order places all
    VMs.
    """
    from dataclasses import replace

    from core.placement.plans.batch import compare_orders
    from core.placement.plans.rows import comparison_document
    from tui.cli.output import print_json

    if sum(count for count, _ in vms) > MOST_VMS:
        raise UsageError(f"a batch can have at most {MOST_VMS} VMs")
    requests = [each for count, request in vms for each in [replace(request, realm=realm)] * count]

    def ask(configuration: Configuration, fleet: Fleet) -> BatchComparison:
        return compare_orders(configuration, fleet, requests)

    sandbox = sandbox_of(options, timeout, changes, realm=realm)
    answers = sandbox.compare(ask)
    if as_json:
        print_json(document(sandbox, comparison_document(answers.before), comparison_document(answers.after)))
    else:
        _print(sandbox, answers, requests)
    best = max(answers.after.arrival.placed, answers.after.largest_first.placed)
    return 0 if best == len(requests) else 1


def _print(sandbox: Sandbox, answers: Compared[BatchComparison], requests: list[Request]) -> None:
    from collections import Counter

    from tui.cli.output import print_table, say
    from tui.cli.placement.what_if_text import in_thought

    after = answers.after
    with in_thought(sandbox):
        say_folded(_sentence(after, len(requests)))
        if sandbox.changes:
            say_folded(f"Without the changes: {_sentence(answers.before, len(requests))}")
        by_order = [Counter(each.host for each in plan.placements) for plan in (after.arrival, after.largest_first)]
        rows = [
            [snapshot.name, *(str(counts[snapshot.name]) for counts in by_order)]
            for snapshot in sandbox.after.fleet.hosts
            if any(counts[snapshot.name] for counts in by_order)
        ]
        if rows:
            say()
            print_table(headings("Host", ">As given", ">Largest first"), rows)
        _refused("in the given order", after.arrival)
        _refused("largest first", after.largest_first)


def _sentence(comparison: BatchComparison, count: int) -> str:
    first, second = comparison.arrival, comparison.largest_first
    return (
        f"{plural(count, 'VM')}: {first.placed} placed in the given order, on "
        f"{plural(first.hosts_used, 'host')}; {second.placed} largest first, on "
        f"{plural(second.hosts_used, 'host')}"
    )


def _refused(order: str, plan: BatchPlan) -> None:
    """Print how many VMs of each size find no host, and why."""
    from tui.cli.output import say
    from tui.cli.placement.text import describe

    sizes: dict[tuple[str, str], int] = {}
    for each in plan.refused:
        key = (describe(each.request), each.message)
        sizes[key] = sizes.get(key, 0) + 1
    if sizes:
        say()
        say(f"Not placed ({order}):")
    for (size, message), count in sizes.items():
        say_folded(f"{count} of {size}", "  ")
        say_folded(message, "    ")
