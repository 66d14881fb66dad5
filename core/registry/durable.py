"""Replace a file so that a reader, a crash or a full disk never finds half of it.

To be called under a lock: the names of the temporary files are fixed, so that a killed writer leaves nothing to sweep.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NEW_FILE_MODE = 0o600
COPIES = 3
"""Former contents that are kept beside the file, `.1` the newest."""

_ACL = "system.posix_acl_access"


def copies_of(path: Path) -> tuple[Path, ...]:
    """Names of the former contents of a file, newest first, whether they exist or not."""
    return tuple(path.with_name(f"{path.name}.{number}") for number in range(1, COPIES + 1))


def replace_file(path: Path, content: bytes, *, former: tuple[bytes, os.stat_result] | None, keep: bool) -> None:
    """Put `content` in the place of a file, and its former content into `.1` where `keep` says so.

    `path` is no symbolic link. `former` is what the file held, with its owner, group, mode and time; None where there
    was no file. Everything is on the disk before the first name changes. Raises OSError; the file is then as it was.
    """
    like = former[1] if former else None
    fresh = path.with_name(f".{path.name}.new")
    aside = path.with_name(f".{path.name}.old")
    try:
        _write(fresh, content, like, path)
        if former and keep:
            _write(aside, former[0], like, path)
            os.utime(aside, ns=(former[1].st_mtime_ns, former[1].st_mtime_ns))
            newest, *_ = copies = copies_of(path)
            for older, newer in zip(reversed(copies[1:]), reversed(copies[:-1]), strict=True):
                with suppress(FileNotFoundError):
                    newer.replace(older)
            aside.replace(newest)
        fresh.replace(path)
    finally:  # where all went well, neither is there any more
        for leftover in (fresh, aside):
            with suppress(OSError):
                leftover.unlink()
    _sync_folder(path.parent)


def _write(temporary: Path, content: bytes, like: os.stat_result | None, original: Path) -> None:
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, NEW_FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        if like is None:
            os.fchmod(descriptor, NEW_FILE_MODE)
        else:
            _take_over(descriptor, like, original)
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _take_over(descriptor: int, like: os.stat_result, original: Path) -> None:
    """Give a new file the group, mode and access list of the one that it replaces, and for root its owner."""
    own = os.fstat(descriptor)
    owner = like.st_uid if os.geteuid() == 0 else own.st_uid
    if (own.st_uid, own.st_gid) != (owner, like.st_gid):
        os.fchown(descriptor, owner, like.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(like.st_mode) & 0o777)
    with suppress(OSError):  # no list on this file, or none on this file system
        os.setxattr(descriptor, _ACL, os.getxattr(original, _ACL))


def _sync_folder(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:  # a folder that may be written but not listed
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # file systems that sync no folders
            raise
    finally:
        os.close(descriptor)
