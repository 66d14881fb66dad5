"""`realms vms migrate`: moves a VM to a chosen or to the best host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tui.cli.options import (
    GlobalOptions,
    RealmsCommand,
    WaitType,
    json_option,
    pass_options,
    timeout_option,
    yes_option,
)

if TYPE_CHECKING:
    from core.operations.migration.options import MigrationOptions
    from core.operations.migration.outcome import Migrated
    from core.operations.migration.plan import MigrationPlan
    from core.operations.session import Session
    from core.operations.tasks.task import Control


@click.command("migrate", cls=RealmsCommand)
@click.argument("vm", metavar="VM")
@click.option("--to", metavar="HOST", help="Target host (default: the best other host of its realm).")
@click.option("--offline", is_flag=True, help="Offline migration: only if it is off; moves the definition.")
@click.option(
    "--mode",
    type=click.Choice(["client", "p2p", "tunnelled"]),
    default="client",
    show_default=True,
    help="Managed by this program, or by the source host, which then must reach the target's libvirt.",
)
@click.option("--tls", is_flag=True, help="Encrypt the guest's memory in transit, with the hosts' QEMU certificates.")
@click.option("--copy-storage", is_flag=True, help="Copy disks that are not shared.")
@click.option("--unsafe", is_flag=True, help="Treat disks as shared even if that is not verified.")
@click.option("--check", "only_check", is_flag=True, help="Only run the checks; migrate nothing.")
@click.option(
    "--force", is_flag=True, help="Override a placement refusal, and replace an old definition on the target."
)
@click.option("--foreign", is_flag=True, help="Migrate a foreign VM.")
@click.option(
    "--within", type=WaitType(min=1, max=604_800), metavar="SECONDS", help="Cancel a live migration that takes longer."
)
@timeout_option
@click.option("--bandwidth", type=click.IntRange(1, 1_000_000), default=None, metavar="MIB/S", help="Bandwidth limit.")
@click.option(
    "--no-auto-converge",
    is_flag=True,
    help="Disable auto-converge: never slow down a guest that writes faster than memory is sent.",
)
@click.option(
    "--migrate-uri",
    metavar="URI",
    default="",
    help="Address where QEMU reaches the target: tcp://ADDRESS[:PORT] (default: the host in its libvirt URI).",
)
@click.option(
    "--peer-uri", metavar="URI", default="", help="Libvirt URI by which the source reaches the target (p2p, tunnelled)."
)
@yes_option
@json_option
@pass_options  # fmt: skip
def migrate(
    options: GlobalOptions,
    /,
    *,
    vm: str,
    only_check: bool,
    yes: bool,
    as_json: bool,
    mode: str,
    no_auto_converge: bool,
    bandwidth: int | None,
    within: float | None,
    timeout: float,
    **given: Any,
) -> int:
    """Migrate a VM to another host: live if it is running or paused, offline if it is off.

    Without --to, placement chooses the best other host of its realm and the output says why. Both hosts are checked
    first and all problems are listed; --check does only that. If a migration fails midway, both hosts are asked where
    the VM is. Exit code 1 if it can't migrate or did not.
    """
    from core.driver.migration.migration import MigrationMode
    from core.operations.migration.options import MigrationOptions

    wish = MigrationOptions(
        mode=MigrationMode(mode), auto_converge=not no_auto_converge, bandwidth=bandwidth or 0, timeout=within, **given
    )
    with options.session() if only_check else options.changing_session() as session:
        return _Run(session, wish, only_check=only_check, as_json=as_json, yes=yes, timeout=timeout).run(vm)


class _Run:
    def __init__(
        self, session: Session, wish: MigrationOptions, *, only_check: bool, as_json: bool, yes: bool, timeout: float
    ) -> None:
        self._session = session
        self._wish = wish
        self._only_check = only_check
        self._as_json = as_json
        self._yes = yes
        self._timeout = timeout

    def run(self, wanted: str) -> int:
        """Plan, ask, move, and say what came of it."""
        from core.errors import RealmsError, UsageError
        from core.operations.migration.migrate import migrate
        from core.operations.migration.outcome import MigrationCancelled, MigrationFailed
        from core.operations.migration.plan import MigrationRefused, MigrationSource, plan_migration
        from core.operations.selection import find_vm
        from tui.cli.output import print_json
        from tui.cli.task_output import confirmed, run_task
        from tui.cli.vms.migration_text import document_of, print_moved, print_plan

        session, wish = self._session, self._wish
        if not session.is_live:
            raise UsageError("a saved fleet has no VMs to migrate", hint="leave out --fleet")
        fleet = session.settled_fleet(self._timeout)
        snapshot, vm = find_vm(fleet, wanted)
        departure = MigrationSource(fleet, snapshot, vm)
        prove = not session.read_only

        def check(control: Control) -> MigrationPlan:
            return plan_migration(control, session, departure, wish, prove=prove, deadline=self._timeout)

        plan = run_task(session, "check a migration", vm.name, check, quiet=self._as_json)
        if self._only_check or not plan.ok:
            if self._as_json:
                print_json(document_of(plan))
            else:
                print_plan(plan)
            if not self._only_check:
                plan.check()
            return 0 if plan.ok else 1
        if not self._as_json:
            print_plan(plan, brief=True)
        manner = "live" if plan.live else "offline"
        if not confirmed(f"Migrate {vm.name} {manner} from {plan.source.name} to {plan.target.name}?", yes=self._yes):
            return 1

        def move(control: Control) -> Migrated:
            return migrate(control, session, plan)

        try:
            moved = run_task(session, "migrate", vm.name, move, quiet=self._as_json)
        except MigrationRefused:
            raise
        except (MigrationFailed, MigrationCancelled) as error:
            if self._as_json:
                print_json(document_of(plan, error=error, whereabouts=error.whereabouts))
            raise
        except RealmsError as error:
            if self._as_json:
                print_json(document_of(plan, error=error))
            raise
        if self._as_json:
            print_json(document_of(plan, moved=moved))
        else:
            print_moved(moved)
        return 0
