"""`realms registry`: the file of the registry itself, good or damaged."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.errors import ReadOnly, UsageError
from core.operations.paths import default_registry
from core.text import plural
from tui.cli.options import GlobalOptions, LazyGroup, RealmsCommand, json_option, pass_options, yes_option

if TYPE_CHECKING:
    from core.registry.rescue import Inspection

COMMANDS = {
    "check": ("tui.cli.registry:check", "Check the registry and its copies, and say what can be read of them."),
    "restore": ("tui.cli.registry:restore", "Restore the hosts from a copy, or what can be read of the file."),
    "export": ("tui.cli.registry_transfer:export", "Write the hosts as JSON, for another registry or store."),
    "import": ("tui.cli.registry_transfer:import_", "Register the hosts of an exported file."),
}


@click.group("registry", cls=LazyGroup, lazy=COMMANDS)
def registry() -> None:
    """Check, restore, export and import the registry."""


@click.command("check", cls=RealmsCommand)
@json_option
@pass_options
def check(options: GlobalOptions, *, as_json: bool) -> int:
    """Check the registry and the copies beside it, and say what can be read of each. Changes nothing.

    Exit code 0 if the registry is good or doesn't exist yet, 1 if it is damaged or can't be read.
    """
    from core.registry.durable import copies_of
    from core.registry.rescue import FileState, inspect
    from tui.cli.output import print_json, say

    path = registry_path(options)
    found = inspect(path)
    copies = [copy for copy in map(inspect, copies_of(path)) if copy.state is not FileState.ABSENT]
    good = found.state in {FileState.GOOD, FileState.ABSENT}
    if as_json:
        document = _document(found) | {"hint": found.hint, "copies": [_document(copy) for copy in copies]}
        print_json({"format": "realms-registry-check/1", **document})
        return 0 if good else 1
    for each in (found, *copies):
        say(_line(each))
        for lost in each.lost:
            say(f"  lost: {lost}")
    if found.state is FileState.DAMAGED and found.hosts:
        say(f"  can be read: {', '.join(host.name for host in found.hosts.values())}")
    if found.hint:
        say(f"  {found.hint}")
    return 0 if good else 1


@click.command("restore", cls=RealmsCommand)
@click.argument("copy", type=click.Path(path_type=Path), required=False)
@click.option("--salvaged", is_flag=True, help="Keep what can be read of the damaged file instead of using a copy.")
@yes_option
@pass_options
def restore(options: GlobalOptions, copy: Path | None, *, salvaged: bool, yes: bool) -> int:
    """Restore the hosts of the registry from COPY, or from the newest good copy beside it.

    Waits for the registry's lock. Reservations stay; a damaged file is kept as FILE.damaged, a good one as FILE.1.
    """
    from core.registry import rescue
    from tui.cli.output import say

    path = registry_path(options)
    if options.read_only:
        raise ReadOnly("read-only mode: the registry was not changed", hint="leave out --read-only")
    if salvaged and copy is not None:
        raise UsageError("--salvaged and COPY exclude each other")
    if not yes and sys.stdin.isatty() and sys.stderr.isatty():
        what = "what can be read of the file" if salvaged else str(copy or "the newest good copy")
        if not click.confirm(f"Restore the hosts of {path} from {what}?", err=True):
            say("nothing was restored", error=True)
            return 1
    restored = rescue.restore(path, path if salvaged else copy)
    for lost in restored.source.lost:
        say(f"warning: lost: {lost}", error=True)
    say(f"{path}: {plural(len(restored.source.hosts), 'host')} restored from {restored.source.path}")
    if restored.aside is not None:
        say(f"the damaged file is kept: {restored.aside}")
    return 0


def registry_path(options: GlobalOptions) -> Path:
    """Return the registry's file; raises UsageError for a saved fleet."""
    if options.fleet is not None:
        raise UsageError("a saved fleet has no registry", hint="leave out --fleet")
    return (options.registry or default_registry()).resolve()


def _line(found: Inspection) -> str:
    line = f"{found.path}: {found.state}"
    if found.documents:
        counts = f"{plural(len(found.hosts), 'host')}, {plural(len(found.reservations), 'reservation')}"
        line += f", {counts}, written {_moment(found)}"
    return f"{line}: {found.message}" if found.message else line


def _document(found: Inspection) -> dict[str, Any]:
    return {
        "path": str(found.path),
        "state": found.state,
        "message": found.message,
        "changed_at": _moment(found),
        "hosts": [host.name for host in found.hosts.values()],
        "reservations": len(found.reservations),
        "lost": list(found.lost),
    }


def _moment(found: Inspection) -> str | None:
    if found.changed_at is None:
        return None
    return datetime.fromtimestamp(found.changed_at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
