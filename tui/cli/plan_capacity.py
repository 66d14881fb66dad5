"""`realms plan capacity`: how many more VMs of a size fit, host by host, and what stops the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tui.cli.changes import change_options
from tui.cli.devices import by_type, device_option
from tui.cli.options import SIZE, GlobalOptions, RealmsCommand, json_option, pass_options
from tui.cli.plan_question import counted, document, sandbox_of, tell_silent, timeout_option

if TYPE_CHECKING:
    from core.placement.capacity import Capacity, HostCapacity
    from core.placement.sandbox import Compared, Sandbox
    from tui.cli.changes import Changes


@click.command("capacity", cls=RealmsCommand)
@click.option("--vcpus", type=click.IntRange(1, 2**31 - 1), required=True, metavar="N", help="vCPUs of each VM.")
@click.option("--memory", type=SIZE, required=True,
              help="Memory of each VM, such as '8 GiB'; a bare number is bytes.")  # fmt: skip
@device_option
@click.option("--drives", is_flag=True, help="The VMs have drives: their hosts need the realm's drives pool.")
@click.option("--realm", metavar="ID", help="Only hosts of this realm (else those of all).")
@timeout_option
@change_options
@json_option
@pass_options
def capacity(
    options: GlobalOptions,
    *,
    vcpus: int,
    memory: int,
    devices: tuple[tuple[str, int], ...],
    drives: bool,
    realm: str | None,
    timeout: float,
    changes: Changes,
    as_json: bool,
) -> int:
    """Say how many more VMs of a size fit on each host, what stops the next, and what would be left over then.

    With changes (--set and so on) it says how many fit without and with them. Exit code 1 where not one fits.
    """
    from core.placement.capacity import capacity as count
    from core.placement.plan_rows import capacity_document
    from core.placement.request import Request
    from tui.cli.output import print_json

    request = Request(vcpus, memory, by_type(devices), realm, drives)
    sandbox = sandbox_of(options, timeout, changes, realm=realm)
    answers = sandbox.compare(lambda configuration, fleet: count(configuration, fleet, request))
    if as_json:
        print_json(document(sandbox, capacity_document(answers.before), capacity_document(answers.after)))
    else:
        _print(sandbox, answers)
    return 1 if answers.after.total == 0 else 0


def _print(sandbox: Sandbox, answers: Compared[Capacity]) -> None:
    from tui.cli.output import Column, print_table, say
    from tui.cli.placement_text import describe
    from tui.cli.what_if_text import keep, what_if

    before, after = answers.before, answers.after
    changed = bool(sandbox.changes)
    if changed:
        what_if(sandbox)
    able = sum(host.fits != 0 for host in after.hosts)
    of = f"{able} of {counted(len(after.hosts), 'host')}"
    fit = "any number" if after.total is None else str(after.total)
    say(f"{describe(after.request)}: {fit} more fit, on {of}" if able else
        f"{describe(after.request)}: not one more fits ({counted(len(after.hosts), 'host')} asked)")  # fmt: skip
    if changed:
        say(f"Without the changes: {_number(before.total)}; with them: {_number(after.total)}")
    realms, before_realms = after.by_realm(), before.by_realm()
    if len({*realms, *before_realms}) > 1:
        say()
        columns = [Column("Realm"), *([Column("Without", right=True)] if changed else []), Column("Fits", right=True)]
        print_table(
            columns,
            [
                [name, *([_number(before_realms.get(name, 0))] if changed else []), _number(realms.get(name, 0))]
                for name in sorted({*realms, *before_realms})
            ],
        )
    was = {host.host: _number(host.fits) for host in before.hosts}
    now = {host.host for host in after.hosts}
    rows = [
        [host.host, *([was.get(host.host, "-")] if changed else []), _number(host.fits),
         host.stopped_by.message if host.stopped_by is not None else "nothing", _left(host)]
        for host in after.hosts
    ]  # fmt: skip
    rows += [[host.host, was[host.host], "-", "not there", "-"] for host in before.hosts if host.host not in now]
    columns = [
        Column("Host"),
        *([Column("Without", right=True)] if changed else []),
        Column("Fits", right=True),
        Column("What stops the next"),
        Column("Left then"),
    ]
    if rows:
        say()
        print_table(columns, rows)
    tell_silent(sandbox.after.fleet)
    if changed:
        keep(sandbox)


def _number(fits: int | None) -> str:
    return "no limit" if fits is None else str(fits)


def _left(host: HostCapacity) -> str:
    """Write what the other limits strand, as `8 vCPUs, 26 GiB`."""
    from core.units import show_size

    words = []
    for attribute, amount in host.left.items():
        if attribute == "memory":
            words.append(show_size(amount))
        elif attribute in ("vms", "vcpus"):
            words.append(counted(amount, {"vms": "VM", "vcpus": "vCPU"}[attribute]))
        else:
            words.append(f"{amount} {attribute.removeprefix('devices.')}")
    return ", ".join(words) or "-"
