"""`realms hosts`: the registry of hosts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from core.errors import HostRefused, UnreadableFile, UsageError
from core.hosts import HostState, StaticAddress
from tui.cli.options import (
    GlobalOptions,
    LazyGroup,
    RealmsCommand,
    dry_run_option,
    json_option,
    pass_options,
    timeout_option,
    yes_option,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from core.config.model import Configuration
    from core.hosts import Host
    from core.operations.session import Session
    from core.registry.hosts import HostRegistry
    from core.registry.transactions import Transaction


def _read_static_address(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> StaticAddress | str | None:
    """Read a static address translation; `none` stays as it is, because an option that is absent is None."""
    if value is None or (value == NO_ADDRESS and context.command is edit):
        return value
    try:
        return StaticAddress.parse(value)
    except HostRefused as error:
        raise click.BadParameter(str(error), ctx=context, param=parameter) from error


NO_ADDRESS = "none"
"""What takes a static address translation away."""

STATE = click.Choice([state.value for state in HostState])


COMMANDS = {
    "list": ("tui.cli.hosts.commands:list_hosts", "List hosts; with --live, with their live state."),
    "add": ("tui.cli.hosts.commands:add", "Register a host."),
    "edit": ("tui.cli.hosts.commands:edit", "Edit a registered host."),
    "enable": ("tui.cli.hosts.commands:enable", "Enable hosts: connect and schedule new VMs."),
    "no-scheduling": ("tui.cli.hosts.commands:no_scheduling", "Set hosts to No Scheduling: no new VMs."),
    "disable": ("tui.cli.hosts.commands:disable", "Disable hosts: disconnect; VMs keep running, unmonitored."),
    "remove": ("tui.cli.hosts.commands:remove", "Remove hosts from the registry; VMs are not touched."),
    "test": ("tui.cli.hosts.commands:test", "Test the connection to hosts."),
    "discover": ("tui.cli.hosts.discover:discover", "Propose a hardware profile for a host."),
}


@click.group("hosts", cls=LazyGroup, lazy=COMMANDS)
def hosts() -> None:
    """List, add, edit, enable, disable, remove and test hosts."""


@click.command("list", cls=RealmsCommand)
@click.option("--live", is_flag=True, help="Connect and show live data.")
@click.option("--realm", metavar="ID", help="Only hosts of this realm.")
@timeout_option
@json_option
@pass_options
def list_hosts(options: GlobalOptions, *, live: bool, realm: str | None, timeout: float, as_json: bool) -> None:
    """List the hosts of the registry or the saved fleet.

    Without --live nothing is contacted, and only registered data are shown.
    """
    from core.operations.selection import only
    from tui.cli.hosts.tables import print_described, print_seen
    from tui.cli.json_shapes import hosts_document
    from tui.cli.output import print_json

    with options.session() as session:
        fleet = session.settled_fleet(timeout) if live else session.registered()
        fleet = only(fleet, session.configuration, realm=realm)
    if as_json:
        print_json(hosts_document(fleet, session.configuration))
    elif live or not session.is_live:
        print_seen(fleet, session.configuration, timeout if live and session.is_live else None)
    else:
        registry = None if realm is not None or session.registry is None else session.registry.path
        print_described(fleet, session.configuration, registry)


@click.command("add", cls=RealmsCommand)
@click.argument("name")
@click.option("--realm", required=True, metavar="ID", help="Realm of the host.")
@click.option(
    "--uri", required=True, metavar="URI", help="libvirt URI, such as qemu+ssh://root@h1/system or qemu:///system."
)
@click.option("--profile", required=True, metavar="ID", help="Hardware profile.")
@click.option("--state", type=STATE, default=HostState.ENABLED.value, show_default=True, help="Initial state.")
@click.option(
    "--static-address",
    metavar="IPv4:BASEPORT",
    callback=_read_static_address,
    help="Static address translation: where its VMs are reachable from outside.",
)
@pass_options
def add(
    options: GlobalOptions, name: str, *, realm: str, uri: str, profile: str, state: str,
    static_address: StaticAddress | None,
) -> None:  # fmt: skip
    """Register a host. It is not contacted: see `realms hosts test`."""
    from core.hosts import Host
    from tui.cli.output import say

    session = options.changing_session()
    host = Host(
        name=name, realm=realm, uri=uri, profile=profile, state=HostState(state), static_address=static_address
    )  # fmt: skip
    _warn(session.add_host(host))
    say(f"{name} is registered in realm {realm}: {host.state.label}")


@click.command("edit", cls=RealmsCommand)
@click.argument("name")
@click.option("--name", "new_name", metavar="NEW", help="New name.")
@click.option("--realm", metavar="ID", help="New realm.")
@click.option("--uri", metavar="URI", help="New libvirt URI.")
@click.option("--profile", metavar="ID", help="New hardware profile.")
@click.option("--state", type=STATE, help="New state.")
@click.option(
    "--static-address",
    metavar="IPv4:BASEPORT",
    callback=_read_static_address,
    help="New static address translation, or `none`.",
)
@pass_options
def edit(
    options: GlobalOptions, name: str, *, new_name: str | None, realm: str | None, uri: str | None,
    profile: str | None, state: str | None, static_address: StaticAddress | str | None,
) -> None:  # fmt: skip
    """Edit a registered host. Only the given options are changed."""
    from tui.cli.output import say

    given: dict[str, Any] = {
        "name": new_name, "realm": realm, "uri": uri, "profile": profile,
        "state": HostState(state) if state else None, "static_address": static_address,
    }  # fmt: skip
    changes = {field: value for field, value in given.items() if value is not None}
    if not changes:
        raise UsageError("nothing to change", hint="such as --profile ID; see realms hosts edit --help")
    if static_address == NO_ADDRESS:
        changes["static_address"] = None
    session = options.changing_session()
    old = session.require_writable().host(name)
    new = replace(old, **changes)
    _warn(session.change_host(old, new))
    done = ", ".join(_described_changes(old, new))
    say(f"{name}: {done}" if done else f"{name}: no changes")


def _state_command(name: str, state: HostState, short_help: str) -> click.Command:
    @click.command(name, cls=RealmsCommand, help=short_help)
    @click.argument("names", metavar="NAME...", nargs=-1, required=True)
    @pass_options
    def command(options: GlobalOptions, names: tuple[str, ...]) -> None:
        _set_state(options, names, state)

    return command


enable = _state_command("enable", HostState.ENABLED, "Enable hosts: connect and schedule new VMs.")
no_scheduling = _state_command(
    "no-scheduling", HostState.NO_SCHEDULING, "Set hosts to No Scheduling: no new VMs; existing VMs stay managed."
)


@click.command("disable", cls=RealmsCommand)
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@pass_options
def disable(options: GlobalOptions, names: tuple[str, ...]) -> None:
    """Disable hosts: disconnect; VMs keep running, unmonitored.

    Reports how many VMs keep running, if the host answers in time.
    """
    _warn(_unwatched(_set_state(options, names, HostState.DISABLED)))


@click.command("remove", cls=RealmsCommand)
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@dry_run_option
@yes_option
@pass_options
def remove(options: GlobalOptions, names: tuple[str, ...], *, dry_run: bool, yes: bool) -> int:
    """Remove hosts from the registry. Their VMs are not touched: they keep running, but are no longer shown."""
    from tui.cli.output import say

    registry = options.changing_session().require_writable()
    names = tuple(dict.fromkeys(names))
    for name in names:
        registry.host(name)
    if dry_run:
        for name in names:
            say(f"{name} would be removed from the registry; its VMs are not touched")
        return 0
    if not yes and not _is_confirmed(names, registry):
        say("nothing was removed", error=True)
        return 1
    registry.change(lambda changes: [changes.remove(name) for name in names])
    for name in names:
        say(f"{name} removed from the registry; its VMs are not touched")
    return 0


@click.command("test", cls=RealmsCommand)
@click.argument("subjects", metavar="NAME|URI...", nargs=-1, required=True)
@timeout_option
@json_option
@pass_options
def test(options: GlobalOptions, subjects: tuple[str, ...], *, timeout: float, as_json: bool) -> int:
    """Test the connection to hosts, registered or given by URI.

    Compares a registered host with its hardware profile and its realm's pools. Changes nothing; disabled hosts are
    tested too. URIs need no configuration. Exit code 1 if a host does not answer.
    """
    from core.operations.hosts.probe import examine, is_uri
    from tui.cli.hosts.reports import document_of, print_examinations
    from tui.cli.output import print_json

    if options.fleet is not None:
        raise UsageError("a saved fleet has no hosts to test", hint="leave out --fleet")
    session = _session_for_uris(options) if all(map(is_uri, subjects)) else options.session()
    examinations = examine(session, tuple(dict.fromkeys(subjects)), timeout)
    if as_json:
        print_json(document_of(examinations))
    else:
        print_examinations(examinations)
    return 0 if all(examination.report is not None for examination in examinations) else 1


def _session_for_uris(options: GlobalOptions) -> Session:
    """Open the configuration where there is one: whoever tries a URI may only be about to write it."""
    import os

    from core.config.model import Configuration
    from core.config.places import find_configuration
    from core.operations.session import Session

    try:
        find_configuration(options.config, os.environ)
    except UnreadableFile:
        return Session(Configuration())
    return options.session()


def _set_state(options: GlobalOptions, names: tuple[str, ...], state: HostState) -> list[Host]:
    """Set the state of all hosts named, or of none where one of them doesn't exist; gives those that differ by it."""
    from tui.cli.output import say

    session = options.changing_session()
    registry = session.require_writable()

    def set_states(changes: Transaction) -> tuple[dict[str, HostState], list[Host]]:
        before = {name: changes.host(name).state for name in names}
        return before, [changes.set_state(name, state) for name in before]

    before, changed = registry.change(set_states)
    for host in changed:
        was = before[host.name]
        say(
            f"{host.name}: {was.label} -> {state.label}"
            if was is not state
            else f"{host.name}: no changes ({state.label})"
        )
    if state is HostState.ENABLED:
        _warn(_why_not_scheduled(changed, session.configuration))
    return [host for host in changed if before[host.name] is not state]


_COUNT_SECONDS = 3.0
"""How long a host that is disabled may take to say how many VMs it runs."""


def _unwatched(hosts: Sequence[Host]) -> Iterator[str]:
    """Return how many VMs go on running where nobody looks any more."""
    from core.driver.hosts.probe import probe
    from core.operations.hosts.fanout import map_hosts

    for answer in map_hosts(hosts, lambda host: probe(host.uri, _COUNT_SECONDS, host=host.name).active_domains):
        name, count = answer.host.name, answer.value
        if count is None:
            yield f"{name}: no answer; any VMs there keep running, unmonitored"
        elif count:
            yield f"{name}: {count} VM{'s keep' if count > 1 else ' keeps'} running, unmonitored"


def _why_not_scheduled(changed: Sequence[Host], configuration: Configuration) -> list[str]:
    """Name the hosts that take no VMs although they are enabled."""
    warnings = []
    for host in changed:
        realm = configuration.realms.get(host.realm)
        if realm is None:
            warnings.append(f"{host.name} takes no VMs: its realm {host.realm!r} is not configured")
        elif realm.disabled:
            warnings.append(f"{host.name} takes no VMs: its realm {host.realm!r} is disabled")
        if host.profile not in configuration.hardware_profiles:
            warnings.append(f"{host.name} takes no VMs: its profile {host.profile!r} is not configured")
    return warnings


def _is_confirmed(names: Sequence[str], registry: HostRegistry) -> bool:
    """Ask on a terminal; a script has decided already."""
    import sys

    from core.text import printable
    from tui.cli.output import say

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    for reservation in registry.reservations():
        if reservation.host in names:
            say(f"{reservation.vm} is being started on {reservation.host} by {reservation.owner}", error=True)
    question = f"Remove {', '.join(names)} from the registry? Running VMs are not touched."
    return click.confirm(printable(question), default=False, err=True)


def _described_changes(old: Host, new: Host) -> list[str]:
    pairs = (
        ("name", old.name, new.name),
        ("realm", old.realm, new.realm),
        ("URI", old.uri, new.uri),
        ("profile", old.profile, new.profile),
        ("state", old.state.label, new.state.label),
        ("static address", old.static_address or "none", new.static_address or "none"),
    )
    return [f"{what} {before} -> {after}" for what, before, after in pairs if before != after]


def _warn(warnings: Iterable[str]) -> None:
    from tui.cli.output import say

    for warning in warnings:
        say(f"warning: {warning}", error=True)
