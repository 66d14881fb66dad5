"""`realms bricks`: the images that VMs are made from."""

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
List the bricks of all realms and their users. Asks every host; changes nothing.

A brick is in use if a volume in one of the realm's pools is an overlay of it, or a VM has it as a disk; a VM that was
created from it as a full copy is listed too. Hosts of other realms are asked too, as they may share the storage.
"perhaps": possibly in use, by a path outside the pools that may lead there, or by the same path in another realm."""
bricks.add_command(list_command("bricks", "List bricks and their users.", _LIST))


@bricks.command("upload", cls=RealmsCommand, short_help="Upload a qcow2 or raw image as a brick.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--name", metavar="NAME", help="Name of the brick (default: the file's name).")
@making("Upload")
def upload(options: GlobalOptions, file: Path, *, name: str | None, **how: Any) -> int:
    """Upload FILE, a qcow2 or raw image, into the bricks pool.

    The format is detected from the content. Refused: files that are neither qcow2 nor a multiple of 512 bytes,
    overlays, images with external data files, and encrypted, compressed or other formats. During the upload a volume
    NAME.incomplete exists next to it; an interrupted upload is deleted.
    """
    from core.operations.storage.images import check_name, upload_brick

    wanted = check_name(file.name if name is None else name)
    make = functools.partial(upload_brick, path=file, name=wanted)
    return make_image(options, "upload a brick", wanted, make, **how)


_DELETE = """
Permanently delete a brick. A brick with overlays can't be deleted; they are listed.
"""
bricks.add_command(delete_command("bricks", "Delete a brick without overlays.", _DELETE, never="an overlay exists"))
