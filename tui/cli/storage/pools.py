"""`realms pools`: the realm's storage pools on each host."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import click

from core.errors import UsageError
from tui.cli.options import SIZE, GlobalOptions, LazyGroup, RealmsCommand, json_option, pass_options, yes_option

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.driver.storage.pool_setup import PoolPlan
    from core.hosts import Host
    from core.operations.storage.pool_report import PoolRole
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
    from tui.cli.storage.pools_text import document_of, print_report
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
            print_report(report)
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
    from tui.cli.storage.pools_text import document_of, print_failure, print_report
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
        print_report(report)
        print_failure(error)
    return 0 if error is None else 1


def ready_hosts(wanted: Sequence[Host], *, named: bool) -> tuple[Host, ...]:
    """Return those that are not disabled. Raises UsageError where none is left, or one that was named is disabled."""
    ready = tuple(host for host in wanted if host.state.connects)
    if not ready or (named and len(ready) < len(wanted)):
        disabled = ", ".join(host.name for host in wanted if not host.state.connects)
        raise UsageError(f"disabled: {disabled}", hint="realms hosts enable")
    return ready


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
