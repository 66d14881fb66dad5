"""The program: wires options, commands and the full-screen application together."""

import errno
import os
import sys

import click

from core.errors import ConfigurationInvalid, RealmsError
from tui.cli.options import GlobalOptions, LazyGroup

COMMANDS = {
    "demo": ("tui.cli.demo:demo", "Open the full-screen application with a built-in fleet; needs no hosts or files."),
    "check": (
        "tui.cli.config.check:check",
        "Check a configuration and report every error, where it is and how to fix it.",
    ),
    "show": ("tui.cli.config.show:show", "Show the effective configuration, with all defaults."),
    "cost": ("tui.cli.config.cost:cost", "Compute one cost, term by term."),
    "hosts": ("tui.cli.hosts.commands:hosts", "List, add, edit, enable, disable, remove and test hosts."),
    "vms": ("tui.cli.vms.group:vms", "List, create, start, stop, migrate, snapshot and delete VMs."),
    "place": ("tui.cli.placement.place:place", "Show which host would take a VM, and why. Changes nothing."),
    "plan": ("tui.cli.plans.group:plan", "Plan capacity, host failures, drains and rebalancing."),
    "replay": ("tui.cli.placement.replay:replay", "Replay a scheduling log and show changed decisions."),
    "pools": ("tui.cli.storage.pools:pools", "Show, set up and remove a realm's storage pools."),
    "bricks": ("tui.cli.storage.bricks:bricks", "List, upload and delete VM images."),
    "drives": ("tui.cli.storage.drives:drives", "List, create and delete users' drives."),
    "volumes": ("tui.cli.storage.volumes:volumes", "List VM volumes and delete orphaned ones."),
    "fleet": ("tui.cli.fleet:fleet", "Save the live fleet, to explore it offline."),
    "registry": ("tui.cli.registry:registry", "Check, restore, export and import the registry."),
    "doctor": ("tui.cli.hosts.doctor:doctor", "Diagnose hosts and show how to fix problems."),
    "keys": ("tui.cli.hosts.keys:keys", "Create, show and install the ssh key for hosts."),
}
"""Every subcommand, where it is defined, and its line of help."""


@click.group(
    "realms",
    cls=LazyGroup,
    lazy=COMMANDS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Without a command the full-screen application opens.",
)
@click.version_option(package_name="libvirt-realms", prog_name="realms")
@click.pass_context
def realms(context: click.Context) -> None:
    """Manage libvirt realms: hosts, virtual machines, and placements that explain themselves."""
    if context.invoked_subcommand is None:
        from tui.cli.screen import open_screen

        context.exit(open_screen(context.ensure_object(GlobalOptions)))


def report(error: RealmsError) -> int:
    """Print an error on standard error, readable and safe for a terminal, and give its exit code."""
    from core.text import printable

    if isinstance(error, ConfigurationInvalid):
        from tui.cli.config.check import print_diagnostics

        print_diagnostics(error.diagnostics)
    click.echo(f"realms: {printable(error.message)}", err=True)
    if error.hint:
        click.echo(f"  {printable(error.hint)}", err=True)
    return error.exit_code


def _print_no(error: RealmsError) -> None:
    """Give who asked for a document one that says no: what makes no sense (exit code 2) has none."""
    from tui.cli.output import error_row, print_json

    print_json(error_row(error))


_OUTPUT_IS_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


def main() -> None:
    """Run the program; the one place where an unforeseen error becomes an exit code."""
    _open_closed_streams()
    options = GlobalOptions()
    try:
        code = realms.main(standalone_mode=False, obj=options)
    except RealmsError as error:
        code = report(error)
        if options.as_json and not options.printed and code == 1:
            _print_no(error)
    except click.exceptions.Abort:
        click.echo("realms: interrupted", err=True)
        code = 1
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _OUTPUT_IS_FULL:
            sys.exit(_say_unwritable(error))
        if os.environ.get("REALMS_TRACEBACK"):
            raise
        from core.text import one_line

        click.echo(f"realms: unexpected error: {type(error).__name__}: {one_line(str(error))}", err=True)
        click.echo("  this is a bug; run again with REALMS_TRACEBACK=1 for details to report", err=True)
        code = 1
    sys.exit(_finish(code if isinstance(code, int) else 0))


def _open_closed_streams() -> None:
    """Give the program every standard stream, also where the caller closed one (`realms hosts list >&-`)."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - open until the program ends


def _finish(code: int) -> int:
    """Write out what is still buffered, and give the exit code."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:  # who reads a pipe no more has seen enough
        _drop_output()
    except OSError as error:
        return _say_unwritable(error)
    return code


def _say_unwritable(error: OSError) -> int:
    click.echo(f"realms: can't write: {error.strerror}", err=True)
    _drop_output()
    return 1


def _drop_output() -> None:
    """Let what is still buffered go nowhere, or the interpreter's own end would complain once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
