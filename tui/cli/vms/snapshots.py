"""`realms vms snapshot`, `snapshots` and `delete-snapshot`."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import click

from core.text import plural
from tui.cli.options import (
    GlobalOptions,
    RealmsCommand,
    dry_run_option,
    json_option,
    pass_options,
    timeout_option,
    yes_option,
)
from tui.cli.vms.drives import foreign_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.driver.vms.snapshots import Snapshot


@click.command("snapshot", cls=RealmsCommand)
@click.argument("vm")
@click.argument("name", required=False)
@click.option(
    "--disk", "targets", multiple=True, metavar="TARGET", help="Only this disk, such as vda; can be repeated."
)
@click.option("--no-freeze", is_flag=True, help="Don't quiesce file systems through the guest agent.")
@foreign_option
@timeout_option
@json_option
@pass_options
def snapshot(
    options: GlobalOptions,
    vm: str,
    name: str | None,
    *,
    targets: tuple[str, ...],
    no_freeze: bool,
    foreign: bool,
    timeout: float,
    as_json: bool,
) -> int:
    """Copy a VM's disks into the snapshots pool, at one point in time. NAME defaults to the time in UTC.

    A running VM keeps running; the snapshot is crash-consistent, or has quiesced file systems if the guest agent
    answers. Memory is not saved. Copies are full, even of overlays: a snapshot is standalone.
    """
    from core.operations.vms.lookup import vm_at_hand
    from core.operations.vms.snapshots import check_snapshot_name, name_by_time, take_snapshot
    from tui.cli.task_output import run_task

    with options.changing_session() as session:
        now = session.clock.now()
        chosen = check_snapshot_name(name if name is not None else name_by_time(now))
        at_hand = vm_at_hand(session, vm, timeout=timeout, foreign=foreign)
        taken = run_task(
            session, f"take snapshot {chosen}", at_hand.vm.name,
            lambda control: take_snapshot(
                control, at_hand, chosen, now=now, targets=targets, freeze=not no_freeze, deadline=timeout
            ),
            quiet=as_json,
        )  # fmt: skip
    _print_one("snapshot", taken, f"snapshot {taken.name} of {at_hand.vm.name} taken", as_json=as_json)
    return 0


@click.command("snapshots", cls=RealmsCommand)
@click.argument("vm", required=False)
@click.option("--realm", metavar="ID", help="Without VM: list the snapshots of this realm.")
@timeout_option
@json_option
@pass_options
def snapshots(options: GlobalOptions, vm: str | None, *, realm: str | None, timeout: float, as_json: bool) -> int:
    """List the snapshots of a VM or of a realm, including those of deleted VMs. Changes nothing.

    An incomplete snapshot is in progress or was interrupted: it can be deleted, not restored.
    """
    from core.operations.vms.snapshot_list import snapshots_of_realm, snapshots_of_vm
    from tui.cli.output import print_json

    with options.session() as session:
        found = (
            snapshots_of_vm(session, vm, timeout=timeout)
            if vm is not None
            else snapshots_of_realm(session, realm, timeout=timeout)
        )
    if as_json:
        print_json({"snapshots": [_row(each) for each in found]})
    else:
        _print_table(found)
    return 0


@click.command("delete-snapshot", cls=RealmsCommand)
@click.argument("vm")
@click.argument("name")
@dry_run_option
@yes_option
@foreign_option
@timeout_option
@json_option
@pass_options
def delete_snapshot(
    options: GlobalOptions,
    vm: str,
    name: str,
    *,
    dry_run: bool,
    yes: bool,
    foreign: bool,
    timeout: float,
    as_json: bool,
) -> int:
    """Permanently delete a snapshot of a VM, even an incomplete one.

    VM can also be the UUID of a deleted VM.
    """
    from core.operations.vms.snapshot_list import owner_of_snapshots
    from core.operations.vms.snapshots import delete_snapshot
    from tui.cli.output import say
    from tui.cli.task_output import confirmed, run_task

    with options.changing_session() as session:
        owner = owner_of_snapshots(session, vm, timeout=timeout, foreign=foreign)
        if not confirmed(f"Delete snapshot {name} of {owner.name} permanently?", yes=yes or dry_run):
            say("nothing was deleted", error=True)
            return 1
        gone = run_task(
            session, f"delete snapshot {name}", owner.name,
            lambda control: delete_snapshot(control, owner, name, dry_run=dry_run, deadline=timeout), quiet=as_json,
        )  # fmt: skip
    word = "would be deleted" if dry_run else "deleted"
    _print_one(
        "would_delete" if dry_run else "deleted", gone, f"snapshot {name} of {owner.name} {word}", as_json=as_json
    )
    return 0


def _print_one(key: str, snapshot: Snapshot, sentence: str, *, as_json: bool) -> None:
    from core.units import show_size
    from tui.cli.output import print_json, say

    if as_json:
        print_json({key: _row(snapshot)})
    else:
        say(f"{sentence}: {', '.join(disk.target for disk in snapshot.disks)}, {show_size(snapshot.allocation)}")


def _print_table(found: Sequence[Snapshot]) -> None:
    from core.units import show_size
    from tui.cli.output import headings, print_table, say

    columns = headings("Snapshot", "VM", "Taken", "VM state", "State", "Disks", ">On disk")
    rows = [
        [
            each.name,
            each.vm or each.uuid,
            _moment(each.taken_at) or "-",
            _KEPT.get(each.consistency, each.state) or "-",
            "complete" if each.complete else f"incomplete: {each.problem}",
            " ".join(disk.target for disk in each.disks) or "-",
            show_size(each.allocation),
        ]
        for each in found
    ]
    print_table(columns, rows)
    say(plural(len(rows), "snapshot"))


_KEPT = {"off": "off", "crash": "running", "filesystem": "running, quiesced"}


def _row(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "name": snapshot.name,
        "vm": snapshot.vm or None,
        "uuid": snapshot.uuid,
        "realm": snapshot.realm or None,
        "host": snapshot.host or None,
        "taken": _moment(snapshot.taken_at),
        "vm_state": snapshot.state or None,
        "consistency": snapshot.consistency or None,
        "complete": snapshot.complete,
        "problem": snapshot.problem or None,
        "size": snapshot.allocation,
        "user": snapshot.user or None,
        "disks": [
            {
                "target": disk.target,
                "pool": disk.pool,
                "volume": disk.volume,
                "format": disk.format,
                "size": disk.capacity,
            }
            for disk in snapshot.disks
        ],
    }


def _moment(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    try:
        return dt.datetime.fromtimestamp(int(seconds), dt.UTC).isoformat().replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):  # anyone who can write to the pool can write any time
        return None
