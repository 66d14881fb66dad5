"""`realms vms list`: the virtual machines of all hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.text import plural
from tui.cli.options import GlobalOptions, RealmsCommand, json_option, pass_options, timeout_option

if TYPE_CHECKING:
    from core.fleet.fleet import VM, Fleet, VMState
    from core.operations.session import Session


@click.command("list", cls=RealmsCommand)
@click.option("--realm", metavar="ID", help="Only VMs on hosts of this realm.")
@click.option("--host", metavar="NAME", help="Only VMs on this host.")
@timeout_option
@json_option
@pass_options
def list_vms(options: GlobalOptions, realm: str | None, host: str | None, timeout: float, as_json: bool) -> None:
    """List the VMs of all hosts that answer.

    Connects to every host that is not disabled and shows how many answered. VMs of unreachable hosts are not shown as
    off.
    """
    from core.operations.selection import only
    from tui.cli.json_shapes import vms_document
    from tui.cli.output import print_json

    with options.session() as session:
        fleet = only(session.settled_fleet(timeout, addresses=True), session.configuration, realm=realm, host=host)
    if as_json:
        print_json(vms_document(fleet))
    else:
        _print(fleet, timeout=timeout if session.is_live else None)
        _tell_left_behind(session)


def _print(fleet: Fleet, *, timeout: float | None) -> None:
    """Print the VMs, how many hosts answered, and which did not; `timeout` is what live hosts were given."""
    from core.fleet.doubles import doubles
    from core.fleet.fleet import Connection
    from tui.cli.output import headings, no_answer, print_table, say

    columns = headings("VM", "Host", "State", ">vCPUs", ">Memory", "Devices", "Endpoint", ">CPU", ">Age")
    rows = [
        _row(vm, snapshot.state_of(vm), fleet.age(snapshot))
        for snapshot in fleet.hosts
        for vm in sorted(snapshot.vms, key=lambda vm: vm.name)
    ]
    telling = [
        index
        for index, column in enumerate(columns)
        if column.title not in ("Devices", "CPU") or any(row[index] != "-" for row in rows)
    ]
    print_table([columns[index] for index in telling], [[row[index] for index in telling] for row in rows])
    say(f"{plural(len(rows), 'VM')}; {fleet.hosts_answering} of {fleet.hosts_total} hosts answered")
    for snapshot in fleet.hosts:
        if not snapshot.host.state.connects:
            continue
        if snapshot.error:
            say(f"{snapshot.name}: {snapshot.error}")
        elif timeout is not None and snapshot.connection is not Connection.CONNECTED:
            say(no_answer(snapshot.name, timeout))
    left_out = [snapshot.name for snapshot in fleet.hosts if not snapshot.host.state.connects]
    if left_out:
        say(f"disabled, not asked: {', '.join(left_out)}")
    for warning in doubles(fleet):
        say(f"warning: {warning}", error=True)


def _tell_left_behind(session: Session) -> None:
    """Print where killed programs left work half done: any other program shows it (specification, section 8)."""
    from core.operations.tasks.journal import Journal
    from tui.cli.output import say

    if session.registry is not None:
        left = Journal(session.registry.path, session.clock).left_behind()
        if left:
            say(f"interrupted: {', '.join(f'{each.operation} {each.vm}' for each in left)}; see realms vms "
"recover")  # fmt: skip


def _row(vm: VM, state: VMState, age: float | None) -> list[str]:
    from core.units import show_age, show_size

    return [
        vm.name if vm.managed else f"{vm.name} (foreign)",
        vm.host,
        f"{state.label} ({vm.state_reason})" if vm.state_reason and state is vm.state else state.label,
        str(vm.vcpus),
        show_size(vm.memory_bytes),
        " ".join(map(str, vm.devices)) or "-",
        vm.endpoint or vm.address or "-",
        "-" if vm.cpu_percent is None else f"{vm.cpu_percent:.0f} %",
        "-" if age is None else show_age(age),
    ]
