"""`realms pools`: the realm's storage pools on each host."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from core.errors import UsageError
from tui.cli.options import SIZE, GlobalOptions, LazyGroup, RealmsCommand, json_option, pass_options, yes_option

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.driver.storage.pool_setup import PoolFacts, PoolPlan
    from core.errors import RealmsError
    from core.hosts import Host
    from core.operations.storage.pool_report import HostPools, PoolRole, PoolsReport
    from core.realms import Realm

ROLES = ("volumes", "drives", "bricks", "snapshots")

COMMANDS = {
    "status": ("tui.cli.storage.pools:status", "Show the pools of a realm on every host."),
    "setup": ("tui.cli.storage.pools:setup", "Define, build and start the pools, and verify sharing."),
    "remove": ("tui.cli.storage.pool_removal:remove", "Stop and undefine pools; files are kept."),
}


@click.group("pools", cls=LazyGroup, lazy=COMMANDS)
def pools() -> None:
    """Show, set up and remove a realm's storage pools."""


host_option = click.option("--host", "hosts", multiple=True, metavar="NAME", help="Only this host; can be repeated.")
timeout_option = click.option(
    "--timeout", type=click.FloatRange(min=0.1, max=3600), default=30.0, show_default=True, metavar="SECONDS",
    help="Timeout for each host to connect or answer.",
)  # fmt: skip


@click.command("status", cls=RealmsCommand)
@host_option
@click.option("--realm", metavar="ID", help="Only this realm.")
@click.option("--prove", is_flag=True, help="Verify sharing: creates and deletes a test volume in each pool.")
@timeout_option
@json_option
@pass_options
def status(
    options: GlobalOptions, *, hosts: tuple[str, ...], realm: str | None, prove: bool, timeout: float, as_json: bool
) -> int:
    """Show the pools of a realm on every host. Creates nothing there without --prove.

    Each host refreshes its pools first, so free space is current. Libvirt stops a pool whose folder it can't read.
    "manual" marks a pool that does not start with its host. Sharing is known if all hosts mount the same network file
    system, or by --prove. Exit code 1 if a host or its storage does not answer, or a pool is not shared.
    """
    from core.operations.hosts.scope import realms_and_hosts
    from core.operations.storage.pools import look_at_pools
    from tui.cli.output import print_json
    from tui.cli.task_output import run_task

    session = options.changing_session() if prove else options.session()
    reports = []
    for each, chosen in realms_and_hosts(session, realm, hosts):
        job = functools.partial(look_at_pools, realm=each, hosts=chosen, prove_sharing=prove, deadline=timeout)
        reports.append(
            run_task(session, "look at pools", each.id, job, quiet=as_json or not prove, only_reads=not prove)
        )
    if as_json:
        print_json(document_of(reports))
    else:
        for report in reports:
            _print(report)
    return 0 if all(report.ok for report in reports) else 1


@click.command("setup", cls=RealmsCommand)
@click.option("--realm", metavar="ID", help="Realm; required if there are several.")
@host_option
@click.option("--pool", "roles", multiple=True, type=click.Choice(ROLES), help="Only this pool; can be repeated.")
@click.option(
    "--path",
    "paths",
    multiple=True,
    required=True,
    metavar="BASE|POOL=PATH",
    help="Folder of the pools, each in BASE/<its name>; or the path of one pool (volumes=/srv/vm).",
)
@click.option(
    "--type",
    "kind",
    type=click.Choice(["dir", "netfs", "fs"]),
    default="dir",
    show_default=True,
    help="dir: storage already mounted on the hosts; netfs, fs: libvirt mounts --source.",
)
@click.option(
    "--source",
    "sources",
    multiple=True,
    metavar="HOST:/EXPORT|POOL=SOURCE",
    help="Source for netfs (or a device for fs): each pool mounts /EXPORT/<its name>; or the source of one pool.",
)
@click.option("--format", "form", default="", metavar="FORMAT", help="Source format: nfs, cifs, glusterfs, xfs, ocfs2.")
@click.option("--mode", metavar="OCTAL", help="Mode of the folders, such as 0711.")
@click.option("--owner", type=click.IntRange(0, 2**32 - 2), metavar="UID", help="Numeric owner id of the folders.")
@click.option("--group", type=click.IntRange(0, 2**32 - 2), metavar="GID", help="Numeric group id of the folders.")
@click.option("--need", type=SIZE, default=0, help="Warn if less space than this is free (at least 10 GiB).")
@click.option("--proof/--no-proof", default=True, help="Verify that storage is shared.", show_default=True)
@click.option("--dry-run", is_flag=True, help="Print the virsh commands without connecting to hosts.")
@yes_option
@timeout_option
@json_option
@pass_options
def setup(
    options: GlobalOptions, *, realm: str | None, hosts: tuple[str, ...], roles: tuple[str, ...],
    paths: tuple[str, ...], kind: str, sources: tuple[str, ...], form: str, mode: str | None, owner: int | None,
    group: int | None, need: int, proof: bool, dry_run: bool, yes: bool, timeout: float, as_json: bool,
) -> int:  # fmt: skip
    """Set pools up on all hosts of a realm at once: define, build, start, autostart; then prove that they are shared.

    It is idempotent: running it again repairs what is missing (starts inactive pools, sets autostart). A pool of the
    same name at another location is refused. A host gets all of its pools or none; failures are rolled back. Disabled
    hosts are skipped. Exit code 1 if a host's pools could not be set up, or a pool is not shared.
    """
    from core.driver.storage.pool_setup import Permissions, PoolType
    from core.operations.hosts.scope import hosts_of, one_realm
    from core.operations.storage.pool_report import PoolRole
    from core.operations.storage.pools import PoolRequest, PoolsNotSetUp, set_up_pools
    from tui.cli.output import print_json, say
    from tui.cli.task_output import confirmed, run_task

    session = options.session() if dry_run else options.changing_session()
    chosen = one_realm(session, realm)
    base, by_role = _places("--path", paths, chosen)
    source, source_by_role = _places("--source", sources, chosen)
    request = PoolRequest(
        roles=tuple(PoolRole(role) for role in roles) or tuple(PoolRole), base=base, paths=by_role,
        type=PoolType(kind), source=source, sources=source_by_role, format=form,
        permissions=Permissions(_mode(mode), owner, group), need=need,
    )  # fmt: skip
    plans = request.plans(chosen)
    ready = ready_hosts(hosts_of(session, chosen, hosts), named=bool(hosts))
    if dry_run:
        _print_plans(plans, ready, as_json=as_json)
        return 0
    names = ", ".join(host.name for host in ready)
    question = f"Set up {len(plans)} pools on {len(ready)} hosts ({names})?"
    if not confirmed(question, yes=yes):
        say("nothing was changed", error=True)
        return 1
    error: PoolsNotSetUp | None = None
    try:
        report = run_task(
            session, "set up pools", chosen.id,
            lambda control: set_up_pools(control, chosen, ready, request, proof=proof, deadline=timeout),
            quiet=as_json,
        )  # fmt: skip
    except PoolsNotSetUp as failure:
        error, report = failure, failure.report
    if as_json:
        print_json(document_of([report]))
    else:
        _print(report)
        print_failure(error)
    return 0 if error is None else 1


def ready_hosts(wanted: Sequence[Host], *, named: bool) -> tuple[Host, ...]:
    """Return those that are not disabled. Raises UsageError where none is left, or one that was named is disabled."""
    ready = tuple(host for host in wanted if host.state.connects)
    if not ready or (named and len(ready) < len(wanted)):
        disabled = ", ".join(host.name for host in wanted if not host.state.connects)
        raise UsageError(f"disabled: {disabled}", hint="realms hosts enable")
    return ready


def print_failure(error: RealmsError | None) -> None:
    """Print what failed on some hosts, below the report of all; nothing if nothing did."""
    from tui.cli.output import say

    if error is not None:
        say(f"realms: {error.message}", error=True)
        if error.hint:
            say(f"  {error.hint}", error=True)


def _places(option: str, given: Sequence[str], realm: Realm) -> tuple[str, dict[PoolRole, str]]:
    """Return BASE from POOL=PLACE, where POOL is what a pool is for, or its name."""
    from core.operations.storage.pool_report import PoolRole, pool_name

    known = {role.value: role for role in PoolRole} | {pool_name(realm, role): role for role in PoolRole}
    bases, by_role = [], {}
    for text in given:
        name, equals, place = text.partition("=")
        if equals and name in known:
            if known[name] in by_role:
                raise UsageError(f"{option} of {name} is given twice")
            by_role[known[name]] = place
        elif text.startswith("/") or ":/" in text:
            bases.append(text)
        elif not equals and option == "--path":
            raise UsageError(f"{option} {text!r} is not absolute", hint=f"a folder on the hosts, such as /{text}")
        else:
            raise UsageError(f"{option} {text!r} is not a pool", hint=f"POOL must be one of {', '.join(known)}")
    if len(bases) > 1:
        raise UsageError(f"{option} is given twice", hint="use one BASE, or POOL=PATH for each pool")
    return (bases[0] if bases else ""), by_role


def _mode(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or set(text) - set("01234567") or int(text, 8) > 0o7777:
        raise UsageError(f"{text!r} is not a mode", hint="use octal digits, such as 0711")
    return int(text, 8)


def _print_plans(plans: Mapping[PoolRole, PoolPlan], hosts: Sequence[Host], *, as_json: bool) -> None:
    from tui.cli.output import print_json, say

    commands = {
        host.name: [line for plan in plans.values() for line in plan.virsh_commands(host.uri)] for host in hosts
    }
    if as_json:
        described = [{"pool": plan.name, "role": role.value, "xml": plan.xml()} for role, plan in plans.items()]
        per_host = [{"host": host, "commands": lines} for host, lines in commands.items()]
        print_json({"dry_run": True, "pools": described, "hosts": per_host})
        return
    for plan in plans.values():
        for line in plan.xml().splitlines():
            say(line)
        say()
    for host, lines in commands.items():
        say(f"# {host}")
        for command in lines:
            for line in command.splitlines():
                say(line)
        say()


def document_of(reports: Sequence[PoolsReport]) -> dict[str, Any]:
    """Return what `pools status --json` prints."""
    hosts = [host for report in reports for host in report.hosts]
    return {
        "hosts": [
            host_row(
                report,
                host,
                [
                    {
                        **_pool_row(pool.role, pool.facts, report, host.host.name),
                        "unread": pool.unread or None,
                        "changes": list(pool.changes),
                    }
                    for pool in host.pools
                ],
            )
            for report in reports
            for host in report.hosts
        ],
        "sharing": [
            {
                "realm": report.realm.id,
                "pool": sharing.pool,
                "role": sharing.role.value,
                "shared": sharing.shared,
                "by": sharing.by or None,
                "groups": [list(group) for group in sharing.groups],
                "error": sharing.error or None,
            }
            for report in reports
            for sharing in report.sharing
        ],
        "ok": all(report.ok for report in reports),
        "hosts_answering": sum(host.error is None for host in hosts),
        "hosts_total": sum(host.host.state.connects for host in hosts),
    }


def host_row(report: PoolsReport, host: HostPools, pools: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the row of one host, with a row for each of its pools."""
    return {
        "host": host.host.name,
        "realm": report.realm.id,
        "error": None if host.error is None else str(host.error),
        "code": None if host.error is None else host.error.code,
        "pools": pools,
    }


def _pool_row(role: PoolRole, facts: PoolFacts, report: PoolsReport, host: str) -> dict[str, Any]:
    sharing = next((sharing for sharing in report.sharing if sharing.role is role), None)
    shared = None if sharing is None else sharing.shared_by(host)
    mode = facts.permissions.mode
    return {
        "pool": facts.name,
        "role": role.value,
        "state": facts.state.value,
        "autostart": facts.autostart,
        "type": facts.type or None,
        "path": facts.path or None,
        "source": facts.source or None,
        "mode": None if mode is None else f"{mode:04o}",
        "owner": facts.permissions.owner,
        "group": facts.permissions.group,
        "capacity": facts.capacity,
        "allocation": facts.allocation,
        "free": facts.available,
        "shared": shared,
        "shared_by": sharing.by if sharing is not None and shared is not None else None,
        "error": sharing.error or None if sharing is not None else None,
    }


_Listed: TypeAlias = "tuple[str, Mapping[str, Any] | None]"
"""A host's name, and one of its pools as `_pool_row` gives it; None where the host has not answered."""

_SHARED = {True: "yes", False: "NO", None: "unknown"}


def _print(report: PoolsReport) -> None:
    from tui.cli.output import Heading, is_too_wide, print_table, say

    columns = [
        Heading("Host"),
        Heading("Pool"),
        Heading("State"),
        Heading("Autostart"),
        Heading("Type"),
        Heading("Path"),
        Heading("Size", right=True),
        Heading("Free", right=True),
        Heading("Shared"),
    ]
    listed: list[_Listed] = []
    for host in report.hosts:
        name = host.host.name
        if host.error is not None:
            listed.append((name, None))
        listed += [(name, _pool_row(pool.role, pool.facts, report, name)) for pool in host.pools]
    rows = [[name, *_cells(row)] for name, row in listed]
    if is_too_wide(columns, rows):
        _print_narrow(report, listed)
    else:
        print_table(columns, rows, title=f"Realm {report.realm.id}")
    for host in report.hosts:
        if host.error is not None:
            say(str(host.error), error=True)
    for sharing in report.sharing:
        if sharing.groups or sharing.error:
            say(sharing.message)


def _print_narrow(report: PoolsReport, listed: Sequence[_Listed]) -> None:
    """Print the same as two tables that a terminal has room for: how each pool is, and where."""
    from tui.cli.output import Heading, print_table

    columns = [
        Heading("Host"),
        Heading("Pool"),
        Heading("State"),
        Heading("Size", right=True),
        Heading("Free", right=True),
        Heading("Shared"),
    ]
    states = []
    places: dict[tuple[str, str, str], list[str]] = {}
    for host, row in listed:
        if row is None:
            states.append([host, *["?"] * 5])
            continue
        manual = ", manual" if row["type"] and not row["autostart"] else ""
        states.append([host, row["pool"], row["state"] + manual, *_sizes(row), _SHARED[row["shared"]]])
        if row["path"]:
            places.setdefault((row["pool"], row["type"] or "-", _place(row)), []).append(host)
    print_table(columns, states, title=f"Realm {report.realm.id}")
    where = [[pool, kind, path, ", ".join(hosts)] for (pool, kind, path), hosts in places.items()]
    if where:
        print_table([Heading("Pool"), Heading("Type"), Heading("Path"), Heading("Hosts")], where)


def _cells(row: Mapping[str, Any] | None) -> list[str]:
    if row is None:
        return ["?"] * 8
    autostart = "on" if row["autostart"] else "off" if row["type"] else "-"
    return [
        row["pool"], row["state"], autostart, row["type"] or "-", _place(row), *_sizes(row), _SHARED[row["shared"]],
    ]  # fmt: skip


def _place(row: Mapping[str, Any]) -> str:
    return f"{row['path'] or '-'}" + (f" from {row['source']}" if row["source"] else "")


def _sizes(row: Mapping[str, Any]) -> list[str]:
    from core.units import show_size

    return ["-" if amount is None else show_size(amount) for amount in (row["capacity"], row["free"])]
