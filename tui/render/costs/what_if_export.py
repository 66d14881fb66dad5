"""A what-if written down: as a file that configures it, and as the command that asks the same."""

import os
from collections.abc import Iterator
from pathlib import Path

from core.config.settings import Setting
from core.config.syntax import quote, render_path
from core.placement.engine.request import Request
from core.placement.what_if.changes import HostGone, HostInState, VMGone, VMMore
from core.placement.what_if.sandbox import Change, Sandbox
from core.text import one_line, shell_command
from core.units import format_size

_MOST_REPEATED = 50
"""A VM that is thought of more often than this is not written out so often."""


def command_line(changes: tuple[Change, ...], request: Request, count: int) -> str:
    """Return the `realms place` that asks the same with the same changes."""
    words = ["--vcpus", str(request.vcpus), "--memory", format_size(request.memory_bytes)]
    for kind, number in request.devices.items():
        words += ["--device", f"{kind}={number}"]
    if request.realm is not None:
        words += ["--realm", request.realm]
    if count > 1:
        words += ["--count", str(count)]
    for change in changes:
        words += _options(change)
    return shell_command("realms place", *words)


def _options(change: Change) -> Iterator[str]:
    match change:
        case Setting():
            yield "--set"
            yield f"{render_path(change.path)}{'+=' if change.appends else '='}{change.text}"
        case HostInState(host, state):
            yield from ("--host-state", f"{host}={state.value}")
        case HostGone(host):
            yield from ("--without", host)
        case VMGone(key, name):
            yield from ("--without-vm", f"{key[0]}/{name}")
        case VMMore(host, request, count):
            devices = "".join(f",{kind}={number}" for kind, number in request.devices.items())
            vm = f"{host}={request.vcpus},{format_size(request.memory_bytes)}{devices}"
            for _ in range(min(count, _MOST_REPEATED)):
                yield from ("--with-vm", vm)


def overlay(sandbox: Sandbox, main_file: Path | None, folder: Path, request: Request, count: int) -> str:
    """Write a configuration that is the present one with the changes laid over it; hosts and VMs are in comments.

    `folder` is where the file will be: its include of the main file is relative where both are in one folder.
    """
    changes = sandbox.changes
    lines = ["# realms what-if. Equivalent command:"]
    lines.append(f"#   {one_line(command_line(changes, request, count), 100_000)}")
    if sandbox.settings:
        lines.append("# To keep it, append the lines below the include to the main file.")
    lines.append("")
    if main_file is not None:
        target = main_file.name if main_file.parent == folder else os.fspath(main_file)
        lines.append(f"include {quote(target)}")
        lines.append("")
    lines.append(sandbox.hocon.rstrip("\n"))
    others = [change for change in changes if isinstance(change, VMGone | VMMore)]
    lines += [f"# {one_line(str(change))}" for change in others]
    return "\n".join(lines).rstrip("\n") + "\n"
