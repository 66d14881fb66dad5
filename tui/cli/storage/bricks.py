"""`realms bricks`: the images that VMs are made from."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import click

from tui.cli.options import GlobalOptions, LazyGroup, RealmsCommand
from tui.cli.storage.image_commands import delete_command, list_command, make_image, making


@click.group("bricks", cls=LazyGroup)
def bricks() -> None:
    """List, upload and delete bricks: images that VMs are created from."""


_LIST = """
List the bricks of all realms and their users. Asks every host. Changes nothing.

Used means: a volume in one of the realm's pools is an overlay of it, or a VM has it as a disk; a VM that was made
from it as a full copy is named too. With --json: {"bricks": [{"name", "realm", "pool", "path", "format", "size",
"allocation", "created", "complete": false while it is uploaded or where that broke off, "backing": path|null,
"hosts": [those that see it], "used_by": [{"kind": "overlay|disk|copy|mark|perhaps", "name", "host", "pool",
"active": true|false|null, "vms": ["HOST/NAME"], "realm": another one|null, "path": what it names, if "perhaps"}]}],
"unasked": [{"host", "error"}], "remarks": [what is not known of other realms], "hosts_answering", "hosts_total"}.
Other realms' hosts are asked too, as they may share the storage. "perhaps": by a path in no pool, which may lead
there, or by the same path in another realm, which may be other storage."""
bricks.add_command(list_command("bricks", "List bricks and their users.", _LIST))


@bricks.command("upload", cls=RealmsCommand, short_help="Upload a qcow2 or raw image as a brick.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--name", metavar="NAME", help="Name of the brick (default: the file's name).")
@making("Upload")
def upload(options: GlobalOptions, file: Path, *, name: str | None, **how: Any) -> int:
    """Upload FILE, a qcow2 or raw image, into the bricks pool.

    The format is detected from the content. Refused: files that are neither qcow2 nor a multiple of 512 bytes,
    overlays, images with external data files, and encrypted, compressed or other formats. During the upload a volume
    NAME.incomplete exists next to it; an interrupted upload is deleted. With --json: {"brick": {"name", "realm",
    "pool", "path", "format", "size", "allocation", "created"}}.
    """
    from core.operations.storage.images import check_name, upload_brick

    wanted = check_name(file.name if name is None else name)
    make = functools.partial(upload_brick, path=file, name=wanted)
    return make_image(options, "upload a brick", wanted, make, **how)


_DELETE = """
Delete a brick for good. One with overlays can't be deleted: they are named.
"""
bricks.add_command(delete_command("bricks", "Delete a brick without overlays.", _DELETE, never="an overlay exists"))
