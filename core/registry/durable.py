"""Replace the registry's file, whose former contents are kept beside it.

To be called under a lock. What a killed writer leaves beside the file is swept by the next.
"""

import os
import secrets
import stat
from contextlib import AbstractContextManager, ExitStack, suppress
from functools import partial
from pathlib import Path

from core.files import PRIVATE, move_on, numbered, sync_folder, written

COPIES = 3
"""Former contents that are kept beside the file, `.1` the newest."""

_ACL = "system.posix_acl_access"


def copies_of(path: Path) -> tuple[Path, ...]:
    """Return the names of the former contents of a file, newest first, whether they exist or not."""
    return numbered(path, COPIES)


def replace_registry(
    path: Path,
    content: bytes,
    *,
    former: tuple[bytes, os.stat_result] | None,
    keep: bool,
    alone: AbstractContextManager[None],
) -> None:
    """Put `content` in the place of a file, and its former content into `.1` where `keep` says so.

    `path` is no symbolic link. `former` is what the file held, with its owner, group, mode and time; None where there
    was no file. Everything is on the disk before the first name changes, which happens inside `alone`: it raises where
    another program has written meanwhile. Raises OSError, FileExistsError where there is a file by now, and
    FileNotFoundError where a temporary file was taken away; the file is then as it was.
    """
    prepare = partial(_take_over, like=former[1], original=path) if former else None
    _sweep(path)
    name = f".{path.name}.{secrets.token_hex(4)}"
    fresh, aside = path.with_name(f"{name}.new"), path.with_name(f"{name}.old")
    with ExitStack() as stack:
        stack.enter_context(written(fresh, content, mode=PRIVATE, prepare=prepare))
        if former and keep:
            stack.enter_context(written(aside, former[0], mode=PRIVATE, prepare=prepare))
            os.utime(aside, ns=(former[1].st_mtime_ns, former[1].st_mtime_ns))
        stack.enter_context(alone)
        if former and keep:
            move_on((aside, *copies_of(path)))
        if former:
            fresh.replace(path)
        else:
            _give_name(fresh, path)
    sync_folder(path.parent)


def _sweep(path: Path) -> None:
    """Remove temporary files of writers that were killed; a live one, whose lock is lost, begins again."""
    with suppress(OSError):  # a folder that may be written but not listed
        for name in os.listdir(path.parent):
            if name.startswith(f".{path.name}.") and name.endswith((".new", ".old")):
                path.with_name(name).unlink(missing_ok=True)


def _give_name(fresh: Path, path: Path) -> None:
    """Rename a file to a name that nobody has taken meanwhile; raises FileExistsError."""
    try:
        path.hardlink_to(fresh)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        fresh.replace(path)


def _take_over(descriptor: int, like: os.stat_result, original: Path) -> None:
    """Give a new file the group, mode and access list of the one that it replaces, and for root its owner."""
    own = os.fstat(descriptor)
    owner = like.st_uid if os.geteuid() == 0 else own.st_uid
    if (own.st_uid, own.st_gid) != (owner, like.st_gid):
        os.fchown(descriptor, owner, like.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(like.st_mode) & 0o777)
    with suppress(OSError):  # no list on this file, or none on this file system
        os.setxattr(descriptor, _ACL, os.getxattr(original, _ACL))
