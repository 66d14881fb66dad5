"""`realms plan capacity`: how many more VMs of a size fit, host by host, and what stops the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.errors import UsageError
from core.text import plural
from tui.cli.devices import by_type, device_option
from tui.cli.options import SIZE, GlobalOptions, RealmsCommand, json_option, pass_options, timeout_option
from tui.cli.placement.what_if_options import change_options, sandbox_of
from tui.cli.plans.batch import SomeVMsType
from tui.cli.plans.options import document

if TYPE_CHECKING:
    from core.placement.engine.request import Request
    from core.placement.plans.capacity import Capacity
    from core.placement.what_if.sandbox import Compared, Sandbox
    from tui.cli.placement.what_if_options import Changes


@click.command("capacity", cls=RealmsCommand)
@click.option("--vcpus", type=click.IntRange(1, 2**31 - 1), metavar="N", help="vCPUs of each VM.")
@click.option("--memory", type=SIZE, help="Memory of each VM, such as '8 GiB'; a bare number is bytes.")
@device_option
@click.option("--mix", type=SomeVMsType(), multiple=True, metavar="N=VCPUS,SIZE[,TYPE=N]...",
              help="A mix instead: N VMs of a size, such as 3=8,64GiB; repeat for each size.")  # fmt: skip
@click.option("--drives", is_flag=True, help="The VMs have drives: require the realm's drives pool.")
@click.option("--realm", metavar="ID", help="Only hosts of this realm.")
@timeout_option
@change_options
@json_option
@pass_options
def capacity(
    options: GlobalOptions,
    *,
    vcpus: int | None,
    memory: int | None,
    devices: tuple[tuple[str, int], ...],
    mix: tuple[tuple[int, Request], ...],
    drives: bool,
    realm: str | None,
    timeout: float,
    changes: Changes,
    as_json: bool,
) -> int:
    """Show how many more VMs of a size fit on each host, what limits them, and what would be left.

    With --mix, repeated for each size, it shows how many whole mixes fit. With changes (--set and so on) it shows how
    many fit without and with them. Exit code 1 if none fits.
    """
    from dataclasses import replace

    from core.placement.engine.request import Request
    from core.placement.plans.capacity import capacity as count
    from core.placement.plans.rows import capacity_document
    from tui.cli.output import print_json

    if mix:
        if vcpus is not None or memory is not None or devices:
            raise UsageError("--mix defines all VMs", hint="omit --vcpus, --memory and --device")
        sizes = [(replace(request, realm=realm, needs_drives_pool=drives), count) for count, request in mix]
        return _mix(options, sizes, realm, timeout=timeout, changes=changes, as_json=as_json)
    if vcpus is None or memory is None:
        raise click.MissingParameter(param_hint=["--vcpus" if vcpus is None else "--memory"], param_type="option")
    request = Request(vcpus, memory, by_type(devices), realm, drives)
    sandbox = sandbox_of(options, timeout, changes, realm=realm)
    answers = sandbox.compare(lambda configuration, fleet: count(configuration, fleet, request))
    if as_json:
        print_json(document(sandbox, capacity_document(answers.before), capacity_document(answers.after)))
    else:
        _print(sandbox, answers)
    return 1 if answers.after.total == 0 else 0


def _mix(
    options: GlobalOptions, sizes: list[tuple[Request, int]], realm: str | None, *, timeout: float, changes: Changes,
    as_json: bool,
) -> int:  # fmt: skip
    from core.placement.plans.mix import MOST_OF_A_MIX, capacity_of_mix
    from core.placement.plans.rows import mix_document
    from tui.cli.output import print_json
    from tui.cli.plans.mix import print_mix

    if sum(count for _, count in sizes) > MOST_OF_A_MIX:
        raise UsageError(f"a mix can have at most {MOST_OF_A_MIX} VMs")
    sandbox = sandbox_of(options, timeout, changes, realm=realm)
    answers = sandbox.compare(lambda configuration, fleet: capacity_of_mix(configuration, fleet, sizes))
    if as_json:
        print_json(document(sandbox, mix_document(answers.before), mix_document(answers.after)))
    else:
        print_mix(sandbox, answers)
    return 1 if answers.after.fits == 0 else 0


def _print(sandbox: Sandbox, answers: Compared[Capacity]) -> None:
    from tui.cli.output import headings, print_table, say
    from tui.cli.placement.text import describe
    from tui.cli.placement.what_if_text import in_thought
    from tui.cli.plans.text import left_in_words

    before, after = answers.before, answers.after
    changed = bool(sandbox.changes)
    with in_thought(sandbox):
        able = sum(host.fits != 0 for host in after.hosts)
        of = f"{able} of {plural(len(after.hosts), 'host')}"
        fit = "any number" if after.total is None else str(after.total)
        say(f"{describe(after.request)}: {fit} more fit, on {of}" if able else
            f"{describe(after.request)}: no more fit ({plural(len(after.hosts), 'host')} asked)")  # fmt: skip
        if changed:
            say(f"Without the changes: {_number(before.total)}; with them: {_number(after.total)}")
        without = [">Without"] if changed else []
        realms, before_realms = after.by_realm(), before.by_realm()
        if len({*realms, *before_realms}) > 1:
            say()
            columns = headings("Realm", *without, ">Fits")
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
             host.stopped_by.message if host.stopped_by is not None else "nothing", left_in_words(host.left)]
            for host in after.hosts
        ]  # fmt: skip
        rows += [[host.host, was[host.host], "-", "absent", "-"] for host in before.hosts if host.host not in now]
        columns = headings("Host", *without, ">Fits", "Limited by", "Left over")
        if rows:
            say()
            print_table(columns, rows)


def _number(fits: int | None) -> str:
    return "no limit" if fits is None else str(fits)
