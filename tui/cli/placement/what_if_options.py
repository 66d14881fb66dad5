"""The options of commands that ask what if: `--set`, `--host-state`, `--without`, ... They change nothing real."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from core.errors import UsageError
from core.hosts import HostState
from tui.cli.devices import DeviceType, by_type
from tui.cli.options import SIZE, GlobalOptions, with_options
from tui.cli.output import say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from core.config.model import Configuration
    from core.config.settings import Setting
    from core.fleet.fleet import Fleet
    from core.placement.engine.request import Request
    from core.placement.what_if.changes import HostGone, HostInState
    from core.placement.what_if.sandbox import Sandbox


class HostStateType(click.ParamType):  # type: ignore[type-arg]  # older clicks' takes none
    """A host's name with a state: `h3=disabled`."""

    name = "HOST=STATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, HostState]:
        """Split the name, which may hold an equals sign itself, from the state; or fail with what would be right."""
        if isinstance(value, tuple):
            return value
        name, equals, state = value.rpartition("=")
        states = [known.value for known in HostState]
        if not equals or not name or state not in states:
            example = f"use HOST=STATE with one of {', '.join(states)}"
            self.fail(f"{value!r} is not HOST=STATE: {example}", param, ctx)
        return name, HostState(state)


class SettingType(click.ParamType):  # type: ignore[type-arg]  # as above
    """A parameter with its value: `cost-functions.cpu.memory.soft='800 GiB'`."""

    name = "PATH=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Setting:  # noqa: ARG002
        """Read the setting; raises UsageError with what would be right."""
        from core.config.settings import Setting

        if isinstance(value, Setting):
            return value
        path, equals, written = str(value).partition("=")
        if len(written) > 1 and written[0] == written[-1] == "'":  # HOCON has no such quotes: they were for a shell
            written = written[1:-1]
        try:
            return Setting.parse(path + equals + written)
        except UsageError as error:
            raise UsageError(f"--set {error.message}", hint=error.hint) from error


_VM_MORE = re.compile(r"(?P<host>.+)=(?P<vcpus>\d{1,10}),(?P<memory>[^,]+)(?P<devices>(?:,[^,]+)*)", re.DOTALL)


class VMMoreType(click.ParamType):  # type: ignore[type-arg]  # as above
    """A VM on a host: `h1=8,64 GiB,a100=2`."""

    name = "HOST=VCPUS,SIZE[,TYPE[=N]...]"
    what = "VM on a host"
    such_as = "h1=8,64GiB"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Request]:
        """Split the host from what the VM asks of it, or fail with what would be right."""
        from core.placement.engine.request import Request

        if isinstance(value, tuple):
            return value
        match = _VM_MORE.fullmatch(value)
        if match is None:
            self.fail(f"{value!r} is not a {self.what}: use {self.name}, such as {self.such_as}", param, ctx)
        devices = [DeviceType().convert(each, param, ctx) for each in match["devices"].split(",") if each]
        memory = SIZE.convert(match["memory"].strip(), param, ctx)
        return match["host"], Request(int(match["vcpus"]), memory, by_type(devices))


@dataclass(frozen=True, slots=True)
class Changes:
    """What the options said."""

    settings: tuple[Setting, ...] = ()
    host_states: tuple[tuple[str, HostState], ...] = ()
    without: tuple[str, ...] = ()
    vms_gone: tuple[str, ...] = ()
    vms_more: tuple[tuple[str, Request], ...] = ()

    def configured(self, configuration: Configuration) -> Configuration:
        """Return a configuration with the settings; raises UsageError. Warnings go to standard error."""
        from core.fleet.fleet import Fleet

        return self._configured(configuration, Fleet(0.0)).after.configuration

    def _configured(self, configuration: Configuration, fleet: Fleet) -> Sandbox:
        from core.placement.what_if.sandbox import Sandbox

        try:
            box = Sandbox.of(configuration, fleet).with_changes(*self.settings)
        except UsageError as error:
            raise UsageError(f"--set {error.message}", hint=error.hint) from error
        for warning in box.warnings:
            say(f"warning: {warning.path.removeprefix('ticrypt.vm.')}: {warning.message}", error=True)
        return box

    def of_hosts(self) -> tuple[HostInState | HostGone, ...]:
        """Return the changes of hosts, for fleets that may not have them all; raises UsageError for one given twice."""
        from core.placement.what_if.changes import HostGone, HostInState

        named = [*(name for name, _ in self.host_states), *self.without]
        for name in named:
            if named.count(name) > 1:
                raise UsageError(f"host {name!r} is given twice", hint="use one state for each host, or --without")
        return (
            *(HostInState(name, state) for name, state in self.host_states),
            *(HostGone(name) for name in self.without),
        )

    def sandbox(self, configuration: Configuration, fleet: Fleet) -> Sandbox:
        """Make the changes in thought: settings first, then hosts, then VMs.

        Raises UsageError for what isn't there, a host given twice, a wrong setting. Warnings go to standard error.
        """
        from core.operations.selection import check_known, find_vm
        from core.placement.what_if.changes import VMGone, VMMore

        known = [snapshot.name for snapshot in fleet.hosts]
        hosts = self.of_hosts()
        for name in (*(change.host for change in hosts), *(name for name, _ in self.vms_more)):
            check_known("host", name, known)
        box = self._configured(configuration, fleet)
        gone = [find_vm(fleet, wanted)[1] for wanted in self.vms_gone]
        return box.with_changes(
            *(VMGone(vm.key, vm.name) for vm in gone if vm.host not in self.without),
            *(VMMore(name, request) for name, request in self.vms_more),
            *hosts,
        )


_SET = click.option(
    "--set", "settings", type=SettingType(), multiple=True, metavar="PATH=VALUE",
    help="What if a parameter of a curve, function, profile or realm had another value. Such as "
"cost-functions.cpu.memory.soft='800 GiB'; a curve in braces replaces a curve.",
)  # fmt: skip
_HOST_STATE = click.option(
    "--host-state", "host_states", type=HostStateType(), multiple=True, metavar="HOST=STATE",
    help="What if this host were enabled, no-scheduling or disabled.",
)  # fmt: skip
_WITHOUT = click.option("--without", multiple=True, metavar="HOST", help="What if this host did not exist.")
_WITHOUT_VM = click.option(
    "--without-vm", "vms_gone", multiple=True, metavar="VM",
    help="What if this VM did not exist: NAME, HOST/NAME or UUID.",
)  # fmt: skip
_WITH_VM = click.option(
    "--with-vm", "vms_more", type=VMMoreType(), multiple=True, metavar="HOST=VCPUS,SIZE[,TYPE=N]",
    help="What if this host had one more VM, such as h1=8,64GiB.",
)  # fmt: skip


def change_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add all the options to a command; it gets them as one parameter, `changes`."""
    return _gathered(command, (_SET, _HOST_STATE, _WITHOUT, _WITHOUT_VM, _WITH_VM))


def change_options_of_hosts(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options but those of VMs, for a command that knows no VMs; it gets them as `changes`."""
    return _gathered(command, (_SET, _HOST_STATE, _WITHOUT))


def _gathered(command: Callable[..., Any], options: Sequence[Callable[..., Any]]) -> Callable[..., Any]:
    @functools.wraps(command)
    def gather(*arguments: Any, **parameters: Any) -> Any:
        names = ("settings", "host_states", "without", "vms_gone", "vms_more")
        changes = Changes(**{name: parameters.pop(name) for name in names if name in parameters})
        return command(*arguments, changes=changes, **parameters)

    return with_options(gather, options)


def sandbox_of(
    options: GlobalOptions, timeout: float, changes: Changes, *, realm: str | None = None, host: str | None = None
) -> Sandbox:
    """Take the fleet, and make the changes in thought.

    Raises UsageError, naming near ones, for a realm or host that isn't there, and for what is wrong with the changes.
    """
    from core.operations.selection import check_known

    with options.session() as session:
        if not changes.settings:
            check_known("realm", realm, session.configuration.realms)
        fleet = session.settled_fleet(timeout)
    check_known("host", host, (snapshot.name for snapshot in fleet.hosts))
    sandbox = changes.sandbox(session.configuration, fleet)
    check_known("realm", realm, sandbox.after.configuration.realms)
    check_known("host", host, (snapshot.name for snapshot in sandbox.after.fleet.hosts))
    return sandbox
