"""`realms vms console`."""

import sys

import click

from core.text import shell_command
from tui.cli.options import GlobalOptions, RealmsCommand, pass_options, timeout_option


@click.command("console", cls=RealmsCommand)
@click.argument("vm")
@click.option("--force", is_flag=True, help="Disconnect another session from this console.")
@timeout_option
@pass_options
def console(options: GlobalOptions, vm: str, *, force: bool, timeout: float) -> int:
    """Open a VM's serial console in this terminal; Ctrl-] ends it.

    Requires virsh on this machine; the exit code is that of virsh.
    """
    from core.errors import UsageError
    from core.operations.vms.console import ESCAPE, NoConsole, console_command
    from core.operations.vms.lookup import vm_at_hand
    from tui.cli.output import say
    from tui.terminal.foreground import run_in_foreground

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("a console needs a terminal", hint="run it in a terminal, or with ssh -t")
    with options.changing_session() as session:  # who types into a VM changes it
        command = console_command(session, vm_at_hand(session, vm, timeout=timeout), take_over=force)
    say(f"console of {command.vm} on {command.host}; {ESCAPE} ends it", error=True)
    try:
        code = run_in_foreground(command.arguments)
    except OSError as error:
        raise NoConsole(f"{command.arguments[0]} can't be started: {error.strerror or error}") from error
    if code and not force:
        take_over = shell_command("realms vms console --force", vm)
        say(f"if the console is in use, disconnect the other session: {take_over}", error=True)
    return code
