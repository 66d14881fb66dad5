"""`realms pools remove`: takes pools away from hosts; their files stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tui.cli.options import GlobalOptions, RealmsCommand, json_option, pass_options, yes_option
from tui.cli.storage.pools import ROLES, host_option, ready_hosts, timeout_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.hosts import Host
    from core.operations.storage.pool_report import PoolRole, PoolsReport
    from core.realms import Realm


@click.command("remove", cls=RealmsCommand)
@click.option("--realm", metavar="ID", help="Realm; required if there are several.")
@host_option
@click.option("--pool", "names", multiple=True, type=click.Choice(ROLES), help="Only this pool; can be repeated.")
@click.option("--dry-run", is_flag=True, help="Print the virsh commands without connecting to hosts.")
@yes_option
@timeout_option
@json_option
@pass_options
def remove(
    options: GlobalOptions, *, realm: str | None, hosts: tuple[str, ...], names: tuple[str, ...], dry_run: bool,
    yes: bool, timeout: float, as_json: bool,
) -> int:  # fmt: skip
    """Remove pools from hosts: stop and undefine them. Files are never deleted.

    Undoes `pools setup`. Refused on all hosts if a VM on any of them, running or off, needs a volume there. Default:
    all hosts and all four pools; disabled hosts are skipped. Exit code 1 if pools are in use, or could
    not be removed on a host. If a host stops answering midway, removal may still finish there; its error says so.
    """
    from core.operations.hosts.scope import hosts_of, one_realm
    from core.operations.storage.pool_removal import PoolsNotRemoved, remove_pools
    from core.operations.storage.pool_report import PoolRole, pool_name
    from tui.cli.output import print_json, say
    from tui.cli.storage.pools_text import print_failure
    from tui.cli.task_output import confirmed, run_task

    session = options.session() if dry_run else options.changing_session()
    chosen = one_realm(session, realm)
    roles = tuple(role for role in PoolRole if role in names or not names)
    ready = ready_hosts(hosts_of(session, chosen, hosts), named=bool(hosts))
    if dry_run:
        _print_commands(chosen, ready, roles, as_json=as_json)
        return 0
    pools = ", ".join(pool_name(chosen, role) for role in roles)
    where = ", ".join(host.name for host in ready)
    if not confirmed(f"Remove {pools} from {where}? Files are kept.", yes=yes):
        say("nothing was changed", error=True)
        return 1
    error: PoolsNotRemoved | None = None
    try:
        report = run_task(
            session, "remove pools", chosen.id,
            lambda control: remove_pools(session, control, chosen, ready, roles, deadline=timeout), quiet=as_json,
        )  # fmt: skip
    except PoolsNotRemoved as failure:
        error, report = failure, failure.report
    if as_json:
        print_json(_document(report))
    else:
        _print(report)
        print_failure(error)
    return 0 if error is None else 1


def _print_commands(realm: Realm, hosts: Sequence[Host], roles: Sequence[PoolRole], *, as_json: bool) -> None:
    from core.operations.storage.pool_removal import virsh_commands
    from tui.cli.output import print_json, say

    commands = {host.name: virsh_commands(realm, host, roles) for host in hosts}
    if as_json:
        rows = [{"host": host, "commands": list(lines)} for host, lines in commands.items()]
        print_json({"dry_run": True, "hosts": rows})
        return
    for host, lines in commands.items():
        say(f"# {host}")
        for line in lines:
            say(line)
        say()


def _document(report: PoolsReport) -> dict[str, Any]:
    from tui.cli.storage.pools_text import host_row

    return {
        "hosts": [
            host_row(
                report,
                host,
                [
                    {
                        "pool": pool.facts.name,
                        "role": pool.role.value,
                        "path": pool.facts.path or None,
                        "changes": list(pool.changes),
                    }
                    for pool in host.pools
                ],
            )
            for host in report.hosts
        ],
        "ok": all(host.error is None for host in report.hosts),
    }


def _print(report: PoolsReport) -> None:
    from tui.cli.output import say

    for host in report.hosts:
        if host.error is not None:
            say(str(host.error), error=True)
            continue
        gone = [pool.facts.name for pool in host.pools if pool.changes]
        absent = [pool.facts.name for pool in host.pools if not pool.changes]
        parts = [f"removed {', '.join(gone)}"] if gone else []
        parts += [f"has no {', '.join(absent)}"] if absent else []
        say(f"{host.host.name}: {'; '.join(parts)}")
