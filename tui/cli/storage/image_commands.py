"""The commands that `realms bricks`, `drives` and `volumes` have in common, each made for one of the three."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import click

from tui.cli.options import (
    GlobalOptions,
    RealmsCommand,
    dry_run_option,
    json_option,
    pass_options,
    with_options,
    yes_option,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.driver.storage.volumes import Volume

Kind = Literal["bricks", "drives", "volumes"]

_realm_option = click.option("--realm", metavar="ID", help="Realm; required if there are several.")
_timeout_option = click.option(
    "--timeout", type=click.FloatRange(min=0.1, max=3600), default=30.0, show_default=True, metavar="SECONDS",
    help="Connection timeout for each host.",
)  # fmt: skip

_WHERE_IT_ENDS = "Exit code 1 if a host that is not disabled could not be asked."
_HOW_IT_DELETES = """
Every host is asked first, also of realms that may share the storage; if it cannot be verified whether it is in
use, because a host is unreachable or disabled, --force is required.
"""


def list_command(kind: Kind, short_help: str, told: str) -> click.Command:
    """Make the command that lists what is in a pool of each realm, with those who use it."""

    @click.command("list", cls=RealmsCommand, short_help=short_help, help=f"{told} {_WHERE_IT_ENDS}")
    @click.option("--realm", metavar="ID", help="Only this realm.")
    @_timeout_option
    @json_option
    @pass_options
    def listed(
        options: GlobalOptions, *, realm: str | None, timeout: float, as_json: bool, orphaned: bool = False
    ) -> int:
        from core.operations.hosts.scope import realms_and_hosts
        from core.operations.storage.host_facts import ask_other_realms
        from core.operations.storage.orphaned_volumes import is_known_to_be_used, look_at_volumes
        from core.operations.storage.pool_report import PoolRole
        from core.operations.storage.usage import look_at_images
        from tui.cli.output import print_json
        from tui.cli.storage.images import images_document, print_images
        from tui.cli.task_output import run_task

        session = options.session()
        chosen = realms_and_hosts(session, realm, ())
        reports = []
        for each, hosts in chosen:
            look = (
                functools.partial(look_at_volumes, session)
                if kind == "volumes"
                else functools.partial(
                    look_at_images,
                    role=PoolRole(kind),
                    others=ask_other_realms(session, each.id, timeout, contents=True),
                )
            )
            job = functools.partial(look, realm=each, hosts=hosts, deadline=timeout)
            report = run_task(session, f"look at {kind}", each.id, job, quiet=True, only_reads=True)
            if orphaned:
                kept = tuple(image for image in report.images if not is_known_to_be_used(image))
                report = replace(report, images=kept)
            reports.append(report)
        if as_json:
            print_json(images_document(kind, reports))
        else:
            for report in reports:
                print_images(kind.capitalize(), report)
        enabled = {host.name for _, hosts in chosen for host in hosts if host.state.connects}
        return 1 if any(host in enabled for report in reports for host in report.unasked) else 0

    if kind == "volumes":
        orphaned = click.Option(["--orphaned"], is_flag=True, help="Only unused ones.")
        listed.params.insert(0, orphaned)
    return listed


def delete_command(kind: Kind, short_help: str, told: str, *, never: str) -> click.Command:
    """Make the command that deletes one; `never` says where --force deletes nothing either."""
    one = kind.removesuffix("s")

    @click.command("delete", cls=RealmsCommand, short_help=short_help, help=f"{told}\n{_HOW_IT_DELETES}")
    @click.argument("name")
    @click.option("--force", is_flag=True, help=f"Delete even if it is unknown whether it is in use; never if {never}.")
    @dry_run_option
    @yes_option
    @_realm_option
    @_timeout_option
    @json_option
    @pass_options
    def delete(
        options: GlobalOptions, name: str, *, force: bool, dry_run: bool, yes: bool, realm: str | None, timeout: float,
        as_json: bool,
    ) -> int:  # fmt: skip
        from core.operations.hosts.scope import hosts_of, one_realm
        from core.operations.storage.orphaned_volumes import delete_volume
        from core.operations.storage.pool_report import PoolRole
        from tui.cli.output import print_json, say
        from tui.cli.task_output import confirmed, run_task

        session = options.changing_session()
        chosen = one_realm(session, realm)
        hosts = hosts_of(session, chosen)
        if not confirmed(f"Delete {one} {name} of realm {chosen.id} permanently?", yes=yes or dry_run):
            say("nothing was deleted", error=True)
            return 1
        job = functools.partial(
            delete_volume, session, realm=chosen, hosts=hosts, role=PoolRole(kind), name=name, force=force,
            dry_run=dry_run, deadline=timeout,
        )  # fmt: skip
        run_task(session, f"delete a {one}", name, job, quiet=as_json)
        if as_json:
            print_json({"deleted": name, "realm": chosen.id, "dry_run": dry_run})
        else:
            say(f"{one} {name} {'would be deleted' if dry_run else 'deleted'}")
        return 0

    return delete


def making(verb: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Return a command that makes one the options that say where; it hands them on to `make_image`."""
    options = (
        click.option("--host", metavar="NAME", help=f"{verb} through this host, else through the first that answers."),
        _realm_option,
        _timeout_option,
        json_option,
        pass_options,
    )
    return functools.partial(with_options, options=options)


def make_image(
    options: GlobalOptions,
    what: str,
    name: str,
    make: Callable[..., Volume],
    *,
    host: str | None,
    realm: str | None,
    timeout: float,
    as_json: bool,
) -> int:
    """Carry out `what` as a task, such as `create a drive`, and tell what was made."""
    from core.operations.hosts.scope import hosts_of, one_realm
    from core.units import show_size
    from tui.cli.output import print_json, say
    from tui.cli.storage.images import volume_row
    from tui.cli.task_output import run_task

    session = options.changing_session()
    chosen = one_realm(session, realm)
    hosts = hosts_of(session, chosen, (host,) if host else ())
    job = functools.partial(make, realm=chosen, hosts=hosts, deadline=timeout)
    volume = run_task(session, what, name, job, quiet=as_json)
    one = what.rsplit(maxsplit=1)[-1]
    if as_json:
        print_json({one: volume_row(volume, chosen.id)})
    else:
        say(f"{one} {volume.name} is in pool {volume.pool}: {volume.format}, {show_size(volume.capacity)}")
    return 0
