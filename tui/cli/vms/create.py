"""`realms vms create`: a VM made from a brick, on the host of lowest cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tui.cli.devices import by_type, device_option
from tui.cli.options import MEMORY, GlobalOptions, RealmsCommand, json_option, pass_options, timeout_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.errors import RealmsError
    from core.operations.scheduling.reserve import NoRoom
    from core.operations.session import Session
    from core.operations.vms.create import Created
    from core.operations.vms.spec import ExistingDrive, NewDrive
    from core.placement.engine.remedies import Remedy

NO_FILTER = "none"


@click.command("create", cls=RealmsCommand)
@click.argument("name")
@click.option("--brick", required=True, metavar="BRICK", help="Image that the boot volume is created from.")
@click.option("--vcpus", type=click.IntRange(1, 2**31 - 1), required=True, metavar="N", help="vCPUs of the VM.")
@click.option("--memory", type=MEMORY, required=True, help="Memory, such as '8 GiB', rounded up to whole MiB; a bare "
              "number is bytes.")  # fmt: skip
@device_option
@click.option("--realm", metavar="ID", help="Realm; required if there are several.")
@click.option("--host", metavar="NAME", help="Use only this host; placement still checks it.")
@click.option("--drive", "drives", multiple=True, metavar="SIZE|NAME",
              help="A new drive of a size, or an existing drive; can be repeated.")  # fmt: skip
@click.option("--full-copy", is_flag=True, help="Copy the brick instead of creating an overlay.")
@click.option("--network-filter", metavar="FILTER|none", help="Network filter instead of the realm's, or none.")
@click.option("--virtualization", type=click.Choice(["kvm", "qemu"]), envvar="REALMS_VIRTUALIZATION",
              show_envvar=True, help="Run with KVM or emulated (default: KVM if the host has it).")  # fmt: skip
@click.option("--keep", is_flag=True, help="Stop a VM that does not register, but keep it.")
@click.option("--no-wait", is_flag=True, help="Don't wait until the VM has registered.")
@click.option("--force", is_flag=True, help="Use drives even if a host can't be asked whether a VM has them.")
@timeout_option
@json_option
@pass_options
def create(
    options: GlobalOptions,
    *,
    name: str,
    brick: str,
    vcpus: int,
    memory: int,
    devices: tuple[tuple[str, int], ...],
    realm: str | None,
    host: str | None,
    drives: tuple[str, ...],
    full_copy: bool,
    network_filter: str | None,
    virtualization: str | None,
    keep: bool,
    no_wait: bool,
    force: bool,
    timeout: float,
    as_json: bool,
) -> int:
    """Create a VM from a brick on the cheapest host, start it and wait for it to register.

    A failed step rolls back the previous ones. Exit code 1 if no host can take it or a step failed.
    """
    from core.driver.vms.domain_kind import Virtualization
    from core.errors import RealmsError
    from core.operations.scheduling.reserve import NoRoom
    from core.operations.vms.create import create_vm
    from core.operations.vms.spec import REALM_S_FILTER, Order
    from tui.cli.output import print_json
    from tui.cli.task_output import run_task

    session = options.changing_session()
    try:
        filters = {None: REALM_S_FILTER, NO_FILTER: None}
        order = Order(
            name=name,
            brick=brick,
            vcpus=vcpus,
            memory_bytes=memory,
            devices=by_type(devices),
            realm=_realm(session, realm, host),
            host=host,
            drives=tuple(map(_drive, drives)),
            full_copy=full_copy,
            network_filter=filters.get(network_filter, network_filter),
            virtualization=Virtualization(virtualization) if virtualization else None,
            keep=keep,
            wait=not no_wait,
            force=force,
        )
        created = run_task(
            session,
            f"create {name}",
            name,
            lambda control: create_vm(session, control, order, settle=timeout),
            quiet=as_json,
        )
        if as_json:
            print_json(_document(session, created))
        else:
            _print(created)
    except RealmsError as error:
        if as_json and error.exit_code == 1:
            print_json(_refused(name, error, _remedies(session, error, host)))
        elif isinstance(error, NoRoom) and error.placements.verdicts:
            _explain(error, _remedies(session, error, host))  # with all reasons
            error.message = f"{host} can't take {name}" if host else f"no host can take {name}"
        raise
    finally:
        session.close()
    return 0


def _drive(text: str) -> NewDrive | ExistingDrive:
    from core.operations.vms.spec import ExistingDrive, NewDrive
    from core.units import NotAQuantity, parse_size

    try:
        return NewDrive(parse_size(text))
    except NotAQuantity:
        return ExistingDrive(text)


def _realm(session: Session, realm: str | None, host: str | None) -> str:
    """Return the realm asked for, that of the host, or the only one."""
    from core.errors import UsageError
    from core.operations.hosts.scope import one_realm
    from core.operations.selection import check_known

    if host is None:
        return one_realm(session, realm).id
    hosts = {snapshot.name: snapshot.host for snapshot in session.registered().hosts}
    check_known("host", host, hosts)
    if realm not in (None, hosts[host].realm):
        raise UsageError(f"host {host} is in realm {hosts[host].realm}, not in {realm}")
    return one_realm(session, hosts[host].realm).id


def _document(session: Session, created: Created) -> dict[str, Any]:
    from core.placement.engine.rows import placement_row, verdict_row
    from tui.cli.json_shapes import listed_vm

    fleet = session.fleet()
    snapshot = fleet.host(created.placement.host)
    vm = next((vm for vm in snapshot.vms if vm.uuid == created.uuid), None) if snapshot is not None else None
    registered = created.registered
    return {
        "created": True,
        "vm": listed_vm(fleet, snapshot, vm) if snapshot is not None and vm is not None else None,
        "name": created.name,
        "uuid": created.uuid,
        "realm": created.realm,
        "host": created.placement.host,
        "placement": placement_row(created.placement),
        "boot_volume": created.boot_volume,
        "drives": list(created.drives),
        "registered": registered is not None,
        "registered_by": registered.by.value if registered is not None else None,
        "endpoint": registered.endpoint if registered is not None else None,
        "registration_seconds": round(registered.seconds, 3) if registered is not None else None,
        "verdicts": [verdict_row(verdict) for verdict in created.placements.verdicts],
    }


def _remedies(session: Session, error: RealmsError, only: str | None) -> list[Remedy]:
    """Find what would make the host that was asked for take it, or all where they are few; by what is seen now."""
    from core.operations.scheduling.reserve import NoRoom
    from core.placement.engine.remedies import remedy
    from tui.cli.placement.place import FEW_HOSTS

    if not isinstance(error, NoRoom):
        return []
    refused = [verdict.host for verdict in error.placements.verdicts if not verdict.feasible]
    refused = [host for host in refused if only in (None, host)]
    if len(refused) > FEW_HOSTS:
        return []
    fleet = session.fleet()
    snapshots = {snapshot.name: snapshot for snapshot in fleet.hosts}
    found = (
        remedy(session.configuration, fleet, error.placements.request, snapshots[host])
        for host in refused
        if host in snapshots
    )
    return [each for each in found if each is not None]


def _refused(name: str, error: RealmsError, remedies: Sequence[Remedy]) -> dict[str, Any]:
    from core.operations.scheduling.reserve import NoRoom
    from core.placement.engine.rows import remedy_row, verdict_row

    verdicts = error.placements.verdicts if isinstance(error, NoRoom) else ()
    return {
        "created": False,
        "vm": None,
        "name": name,
        "message": error.message,
        "hint": error.hint or None,
        "code": error.code,
        "verdicts": [verdict_row(verdict) for verdict in verdicts],
        "remedies": [remedy_row(each) for each in remedies],
    }


def _print(created: Created) -> None:
    from tui.cli.output import say

    placement = created.placement
    devices = f", with {' '.join(map(str, placement.devices))}" if placement.devices else ""
    say(f"{created.name}: {placement.host}{devices}, UUID {created.uuid}")
    say(f"boot volume {created.boot_volume}" + (f", drives {', '.join(created.drives)}" if created.drives else ""))
    if created.registered is not None:
        how = f"answers at {created.registered.endpoint}"
        if created.registered.by.value == "agent":
            how = "its guest agent answers"
        say(f"registered after {created.registered.seconds:.1f} s: {how}")


def _explain(error: NoRoom, found: Sequence[Remedy]) -> None:
    from tui.cli.placement.explain_text import remedies
    from tui.cli.placement.text import refusals

    refusals(error.placements)
    remedies(found, error.placements.request)
