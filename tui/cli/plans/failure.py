"""`realms plan failure`: would the fleet survive the loss of any one host, and which VMs would have no place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.text import plural
from tui.cli.options import GlobalOptions, RealmsCommand, json_option, pass_options, timeout_option
from tui.cli.output import headings, say_folded
from tui.cli.placement.what_if_options import change_options, sandbox_of
from tui.cli.plans.options import document, tell_stuck

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.config.model import Configuration
    from core.fleet.fleet import Fleet
    from core.placement.plans.failure import FailureCheck, HostLoss, SeveralLost
    from core.placement.what_if.sandbox import Compared, Sandbox
    from tui.cli.placement.what_if_options import Changes

    Answer = tuple[FailureCheck, SeveralLost | None]

MOST_NAMED = 8
"""Hosts that a sentence names."""


@click.command("failure", cls=RealmsCommand)
@click.option("--at-once", type=click.IntRange(2, 100), metavar="N",
              help="Also check the loss of any N hosts together.")  # fmt: skip
@timeout_option
@change_options
@json_option
@pass_options
def failure(options: GlobalOptions, *, at_once: int | None, timeout: float, changes: Changes, as_json: bool) -> int:
    """Show for each host whether its VMs would fit on the others if it failed, and which would not.

    The VMs of a failed host are placed again, largest first, including foreign ones; VMs that are off are not plural.
    A host that has never answered is unknown. Exit code 1 if a failure would leave VMs unplaced; with --at-once also if
    that could not be verified.
    """
    from core.placement.plans import failure as check
    from core.placement.plans.rows import failure_document, several_document
    from tui.cli.output import print_json

    def ask(configuration: Configuration, fleet: Fleet) -> Answer:
        several = None if at_once is None else check.failure_of_several(configuration, fleet, at_once)
        return check.failure(configuration, fleet), several

    sandbox = sandbox_of(options, timeout, changes)
    answers = sandbox.compare(ask)
    if as_json:
        before, after = (
            failure_document(single) | ({} if several is None else {"several": several_document(several)})
            for single, several in (answers.before, answers.after)
        )
        print_json(document(sandbox, before, after))
    else:
        _print(sandbox, answers)
    single, several = answers.after
    return 0 if single.survives and (several is None or (several.survives and several.proven)) else 1


def _print(sandbox: Sandbox, answers: Compared[Answer]) -> None:
    from tui.cli.output import print_table, say
    from tui.cli.placement.what_if_text import in_thought

    check, several = answers.after
    with in_thought(sandbox):
        say_folded(_sentence(check))
        if sandbox.changes:
            say_folded(f"Without the changes: {_sentence(answers.before[0])}")
        if several is not None:
            say_folded(_of_several(several))
        if check.hosts:
            say()
            columns = headings("Lost", "Survived", ">Placed", ">Homeless", "Note")  # fmt: skip
            print_table(columns, [_cells(loss) for loss in check.hosts])
        for loss in check.hosts:
            tell_stuck(f"Unplaced if {loss.host} fails:", loss.homeless)
        if several is not None:
            tell_stuck(f"Unplaced if {_few(several.worst)} fail:", several.homeless)


def _sentence(check: FailureCheck) -> str:
    if not check.hosts:
        return "No hosts"
    lost = [loss.host for loss in check.hosts if loss.survives is False]
    known = len(check.hosts) - len(check.unknown)
    unknown = f"; unknown: {_few(check.unknown)}" if check.unknown else ""
    if lost:
        return f"{len(lost)} of {plural(known, 'host')} can't fail without leaving VMs unplaced: {_few(lost)}{unknown}"
    return f"Any one of {plural(known, 'host')} can fail: its VMs fit on the others{unknown}"


def _of_several(several: SeveralLost) -> str:
    if several.worst:
        homeless = plural(len(several.homeless), "VM")
        return f"{_few(several.worst)} can't fail together: {homeless} would be unplaced"
    if several.proven:
        return f"Any {several.at_once} hosts can fail together ({plural(several.sets, 'set')} tried, all of them)"
    return (
        f"{several.tried} of {several.sets} sets of {several.at_once} hosts can fail together; the others were "
        "not tried, so this is not verified"
    )


def _few(names: Iterable[str]) -> str:
    named = list(names)
    more = len(named) - MOST_NAMED
    return ", ".join(named[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _cells(loss: HostLoss) -> list[str]:
    if loss.survives is None:
        return [loss.host, "unknown", "-", "-", loss.note]
    return [loss.host, "yes" if loss.survives else "no", str(loss.placed), str(len(loss.homeless)), loss.note or "-"]
