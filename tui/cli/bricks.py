"""`realms bricks`: the images that VMs are made from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tui.cli.image_options import deleting, realm_option, timeout_option
from tui.cli.options import GlobalOptions, LazyGroup, RealmsCommand, json_option, pass_options

COMMANDS = {
    "list": ("tui.cli.bricks:list_bricks", "List the bricks, and who uses them."),
    "upload": ("tui.cli.bricks:upload", "Upload a qcow2 or raw image as a brick."),
    "delete": ("tui.cli.bricks:delete", "Delete a brick that nothing is an overlay of."),
}


@click.group("bricks", cls=LazyGroup, lazy=COMMANDS)
def bricks() -> None:
    """List, upload and delete bricks: the images that VMs are made from."""


@click.command("list", cls=RealmsCommand)
@click.option("--realm", metavar="ID", help="Only this realm.")
@timeout_option
@json_option
@pass_options
def list_bricks(options: GlobalOptions, *, realm: str | None, timeout: float, as_json: bool) -> int:
    """List the bricks of all realms, with those who use them: asks every host. Changes nothing.

    Used means: a volume in one of the realm's pools is an overlay of it, or a VM has it as a disk; a VM that was made
    from it as a full copy is named too. With --json: {"bricks": [{"name", "realm", "pool", "path", "format", "size",
    "allocation", "created", "complete": false while it is uploaded or where that broke off, "backing": path|null,
    "hosts": [those that see it], "used_by": [{"kind": "overlay|disk|copy|mark|perhaps", "name", "host", "pool",
    "active": true|false|null, "vms": ["HOST/NAME"], "realm": another one|null, "path": what it names, if "perhaps"}]}],
    "unasked": [{"host", "error"}], "remarks": [what is not known of other realms], "hosts_answering", "hosts_total"}.
    Other realms' hosts are asked too, as they may share the storage. "perhaps": by a path in no pool, which may lead
    there, or by the same path in another realm, which may be other storage. Ends with 1 where a host that is not
    disabled could not be asked.
    """
    from tui.cli.images import list_images

    return list_images(options, "bricks", realm, timeout=timeout, as_json=as_json)


@click.command("upload", cls=RealmsCommand)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--name", metavar="NAME", help="Name of the brick, else that of the file.")
@click.option("--host", metavar="NAME", help="Upload through this host, else through the first that answers.")
@realm_option
@timeout_option
@json_option
@pass_options
def upload(
    options: GlobalOptions, file: Path, *, name: str | None, host: str | None, realm: str | None, timeout: float,
    as_json: bool,
) -> int:  # fmt: skip
    """Upload FILE, a qcow2 or raw image, into the bricks pool.

    What it is, is told by what is in it. Refused: what is neither qcow2 nor whole sectors of 512 bytes, an overlay of
    another file or with its data in one, what is encrypted, compressed or of another format. While it is being uploaded
    a volume NAME.incomplete stands beside it;
    what breaks off is deleted. With --json: {"brick": {"name", "realm", "pool", "path", "format", "size",
    "allocation", "created"}}.
    """
    from core.operations.images import check_name, upload_brick
    from core.operations.on_hosts import hosts_of, one_realm
    from tui.cli.images import print_made
    from tui.cli.task_output import run_task

    workplace = options.changing_workplace()
    chosen = one_realm(workplace, realm)
    hosts = hosts_of(workplace, chosen, (host,) if host else ())
    wanted = check_name(file.name if name is None else name)
    volume = run_task(
        workplace, "upload a brick", wanted,
        lambda control: upload_brick(control, chosen, hosts, file, name=wanted, deadline=timeout), quiet=as_json,
    )  # fmt: skip
    print_made("brick", volume, chosen.id, as_json=as_json)
    return 0


@click.command("delete", cls=RealmsCommand)
@deleting("an overlay is known")
def delete(options: GlobalOptions, name: str, **how: Any) -> int:
    """Delete a brick for good. One with overlays can't be deleted: they are named.

    Every host is asked first, also of realms that may share the storage; where nobody can tell whether it is in use, as
    a host can't be asked or is disabled, --force is needed.
    With --json: {"deleted": NAME, "realm"}.
    """
    from tui.cli.images import delete_one

    return delete_one(options, "bricks", name, **how)
