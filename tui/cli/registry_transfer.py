"""`realms registry export` and `import`: its hosts, for another registry or another store."""

from pathlib import Path

import click

from core.errors import UnreadableFile, UnwritableFile, UsageError
from tui.cli.options import GlobalOptions, RealmsCommand, pass_options


@click.command("export", cls=RealmsCommand)
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path), default="-")
@pass_options
def export(options: GlobalOptions, file: Path) -> None:
    """Write the hosts of the registry as JSON (realms-registry-export/1) to FILE, or to standard output.

    Reservations are not exported: they belong to programs that run. Needs no configuration.
    """
    from core.clock import SystemClock
    from core.files import PRIVATE, replace_file
    from core.registry.hosts import HostRegistry
    from core.registry.transfer import dump_hosts
    from tui.cli.output import say
    from tui.cli.registry import registry_path

    hosts = HostRegistry(registry_path(options)).hosts()
    text = dump_hosts(hosts, SystemClock().now())
    if str(file) == "-":
        click.echo(text)
        return
    try:
        replace_file(file.resolve(), f"{text}\n".encode(), mode=PRIVATE)
    except OSError as error:
        raise UnwritableFile(f"{file} can't be written: {error.strerror or error}") from error
    say(f"{file}: {len(hosts)} hosts exported")


@click.command("import", cls=RealmsCommand)
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--overwrite", is_flag=True, help="Change registered hosts of the same name to what FILE says.")
@pass_options
def import_(options: GlobalOptions, file: Path, *, overwrite: bool) -> None:
    """Register the hosts of FILE ("-": standard input), which realms registry export has written; all or none.

    Hosts that are registered with the same settings stay; with other settings they are refused without --overwrite.
    """
    from core.inputs import open_input, read_all
    from core.registry import transfer
    from tui.cli.output import say

    if options.fleet is not None:
        raise UsageError("a saved fleet has no registry", hint="leave out --fleet")
    with options.changing_session() as session:
        try:
            with open_input(file) as opened:
                content = read_all(opened, transfer.MOST_BYTES)
            hosts = transfer.parse_hosts(content.decode("utf-8-sig"), str(file))
        except OSError as error:
            raise UnreadableFile(f"{file} can't be read: {error.strerror or error}") from error
        except UnicodeDecodeError as error:
            raise UnreadableFile(f"{file} is not UTF-8 text", hint=f"byte {error.start} is invalid") from error
        imported = session.require_writable().change(
            lambda changes: transfer.import_hosts(changes, hosts, session.configuration, overwrite=overwrite)
        )
    for warning in imported.warnings:
        say(f"warning: {warning}", error=True)
    added, changed, same = len(imported.added), len(imported.changed), len(imported.unchanged)
    say(f"{file}: {added} hosts added, {changed} changed, {same} without changes")
