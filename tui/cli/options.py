"""The global options, accepted before and after a subcommand, and commands that load only when they are called."""

from __future__ import annotations

import functools
import importlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from core.errors import UsageError
from core.text import nearest, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from core.operations.session import Session


@dataclass(slots=True)
class GlobalOptions:
    """What the global options said; None where one was not given."""

    config: Path | None = None
    registry: Path | None = None
    fleet: Path | None = None
    read_only: bool = False
    trust_locks: bool = False
    as_json: bool = False
    """Whether the command was asked for a JSON document."""
    printed: bool = False
    """Whether it has printed one."""

    def session(self) -> Session:
        """Open the configuration with the registry, or with the saved fleet.

        Raises UnreadableFile and its kin (exit code 2) for what can't be read.
        """
        from core.operations.session import open_session

        session = open_session(
            config=self.config,
            registry=self.registry,
            fleet=self.fleet,
            read_only=self.read_only,
            trust_locks=self.trust_locks,
        )
        for found in session.exposures():
            click.echo(f"realms: warning: {printable(found.what)}\n  {printable(found.mend)}", err=True)
        return session

    def changing_session(self) -> Session:
        """Open a session for a command that changes something; raises ReadOnly where nothing may be changed."""
        session = self.session()
        session.require_writable()
        return session


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Keep a global option's value, wherever on the command line it stood; the environment never overrules it."""
    options = context.ensure_object(GlobalOptions)
    name = parameter.name or ""
    if value is None or value is False:
        return
    from_environment = context.get_parameter_source(name) is ParameterSource.ENVIRONMENT
    if not (from_environment and getattr(options, name)):
        setattr(options, name, value)


def _global_options() -> list[click.Option]:
    # Whoever opens a file says better why it can't be read, and what helps.
    file = click.Path(dir_okay=True, readable=False, path_type=Path)
    return [
        click.Option(
            ["--config"], type=file, envvar="REALMS_CONFIG", metavar="FILE", expose_value=False, callback=_remember,
            help="Main configuration file (default: REALMS_CONFIG, ./ticrypt-vm.conf or /etc/ticrypt/ticrypt-vm.conf).",
        ),
        click.Option(
            ["--registry"], type=file, envvar="REALMS_REGISTRY", metavar="FILE", expose_value=False, callback=_remember,
            help="Host registry (else REALMS_REGISTRY, /var/lib/libvirt-realms/registry.json for root, or your data "
                 "folder).",
        ),
        click.Option(
            ["--fleet"], type=file, metavar="FILE", expose_value=False, callback=_remember,
            help="Use a saved fleet (-: standard input) instead of live hosts.",
        ),
        click.Option(
            ["--read-only"], is_flag=True, expose_value=False, callback=_remember,
            help="Read-only: change no host, VM or registry.",
        ),
        click.Option(
            ["--trust-locks"], is_flag=True, expose_value=False, callback=_remember,
            help="Record with the registry that only this machine uses it, where machines don't share file locks.",
        ),
    ]  # fmt: skip


class RealmsCommand(click.Command):
    """A subcommand that takes the global options too."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.params.extend(_global_options())


READING_WORDS = (
    "show", "list", "ls", "get", "info", "describe", "view", "display", "dump", "print", "inspect", "examine", "status",
    "stat", "stats", "state", "states", "search", "find", "watch", "tail", "top", "log", "logs", "events", "history",
    "diff", "read", "what", "which", "whoami", "version", "ps", "cat", "snapshots",
)  # fmt: skip
"""Words by which people of other tools ask to look at something."""


class LazyGroup(click.Group):
    """A group whose commands are imported when one is called: `module:attribute` and a line of help for each name."""

    command_class = RealmsCommand

    def __init__(self, *arguments: Any, lazy: Mapping[str, tuple[str, str]] | None = None, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.lazy = dict(lazy or {})
        self.params.extend(_global_options())

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click hands it in
        """Names in the order of the table, then those registered directly."""
        return [*self.lazy, *self.commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command by its name."""
        if cmd_name not in self.lazy:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self.lazy[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101 - a slip in the table, found by the tests
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one was probably meant."""
        if args and not args[0].startswith("-") and args[0] not in self.list_commands(ctx):
            known = self.list_commands(ctx)
            near = nearest(args[0], [*known, *READING_WORDS])  # who wants to look is never led to a change
            hint = f"did you mean {near}?" if near in known else "commands: " + ", ".join(known)
            message = f"unknown command {args[0]!r}"
            raise UsageError(message, hint=hint)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        rows = [
            (name, self.lazy[name][1] if name in self.lazy else self.commands[name].get_short_help_str())
            for name in self.list_commands(ctx)
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


class SizeType(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.5 on
    """A size such as `8 GiB`, as bytes. A small number without a unit is one of MiB, as elsewhere, and refused."""

    name = "SIZE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read the size, or fail with what would be right."""
        from core.units import NotAQuantity, parse_size

        if isinstance(value, int):
            return value
        try:
            size = parse_size(value)
        except NotAQuantity as error:
            self.fail(f"{error}" + (f" ({error.hint})" if error.hint else ""), param, ctx)
        if size < 0:
            self.fail(f"{value} is negative", param, ctx)
        text = str(value).strip()
        if 0 < size < 2**20 and text.isdecimal():
            self.fail(f"{text} is bytes; did you mean '{text} MiB'?", param, ctx)
        return size


class MemoryType(SizeType):
    """Memory of a VM: a size of at least 1 MiB."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read the size, or fail with what was probably meant."""
        size = super().convert(value, param, ctx)
        if size < 2**20:
            self.fail(f"{str(value).strip()} is less than 1 MiB", param, ctx)
        return size


SIZE = SizeType()
MEMORY = MemoryType()


class WaitType(click.FloatRange):
    """Seconds to wait for something: a number, and one that a clock can add to the time of day."""

    name = "SECONDS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the number; `nan`, which is in no range, is refused."""
        seconds = float(super().convert(value, param, ctx))
        if math.isnan(seconds):
            self.fail(f"{value!r} is not a number of seconds", param, ctx)
        return seconds


WAIT = WaitType(min=0.1, max=3600)


def _remember_json(context: click.Context, _: click.Parameter, value: bool) -> bool:
    context.ensure_object(GlobalOptions).as_json |= value
    return value


json_option = click.option(
    "--json", "as_json", is_flag=True, callback=_remember_json, help="Print a single JSON document."
)
"""The option of every command that reports something; its parameter is `as_json`."""

timeout_option = click.option(
    "--timeout", type=WAIT, default=10.0, show_default=True, metavar="SECONDS",
    help="How long to wait for hosts to answer.",
)  # fmt: skip
"""The option of every command that asks hosts once; its parameter is `timeout`, in seconds."""

yes_option = click.option("--yes", is_flag=True, help="Don't ask for confirmation (implied without a terminal).")
"""The option of every command that asks before it changes something; its parameter is `yes`."""

dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Check everything and print what would go; delete nothing."
)
"""The option of every command that deletes something; its parameter is `dry_run`."""

unasked_option = click.option(
    "--unasked",
    is_flag=True,
    help="Delete volumes even if a host can't be asked who uses them; never volumes known to be in use.",
)
"""The option of commands that delete volumes of VMs; its parameter is `unasked`."""

pass_options = click.make_pass_decorator(GlobalOptions, ensure=True)
"""Hands the global options to a command as its first argument."""


def with_options(command: Callable[..., Any], options: Sequence[Callable[..., Any]]) -> Callable[..., Any]:
    """Add several options to a command, in the order in which its help lists them."""
    return functools.reduce(lambda decorated, option: option(decorated), reversed(options), command)
