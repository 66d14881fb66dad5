"""`realms fleet`: saves the live fleet, to be explored offline with --fleet."""

from pathlib import Path

import click

from tui.cli.options import GlobalOptions, LazyGroup, RealmsCommand, pass_options, timeout_option


@click.group("fleet", cls=LazyGroup)
def fleet() -> None:
    """Save the live fleet."""


@fleet.command("save", cls=RealmsCommand, short_help="Save the live fleet to a file.")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@timeout_option
@pass_options
def save(options: GlobalOptions, file: Path, timeout: float) -> None:
    """Save all hosts and VMs as they are now to FILE ("-": standard output).

    Hosts that don't answer are saved as such. Use the file with any command by --fleet.
    """
    from core.fleet.file import dump, write_file
    from tui.cli.output import say

    with options.session() as session:
        taken = session.settled_fleet(timeout, addresses=True)
    if str(file) == "-":
        click.echo(dump(taken, session.configuration))
        return
    write_file(file, taken, session.configuration)
    vms = sum(1 for _ in taken.vms())
    say(f"{file}: {taken.hosts_answering} of {taken.hosts_total} hosts answered, {vms} VMs saved")
