"""Files that other programs read and write too: replaced in whole, appended to by whole lines, shared with a group."""

import errno
import os
import secrets
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

PRIVATE = 0o600
"""Mode of a file that is its owner's alone until it is shared."""

_NO_FOLDER_SYNC = frozenset(
    {errno.EACCES, errno.EPERM, errno.EBADF, errno.EINVAL, errno.EISDIR, errno.ENOSYS, errno.ENOTSUP, errno.EROFS}
)
"""What file systems that sync no folders answer, and folders that may be written but not listed."""


def replace_file(
    path: Path, content: bytes, *, mode: int | None = None, prepare: Callable[[int], None] | None = None
) -> None:
    """Put `content` in the place of a file, or make it: a reader, a crash or a full disk never finds half of it.

    A symbolic link is itself replaced. Mode and `prepare` as for `written`. Raises OSError; the file is then as it was.
    """
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    with written(fresh, content, mode=mode, prepare=prepare):
        fresh.replace(path)
    sync_folder(path.parent)


@contextmanager
def written(
    path: Path, content: bytes, *, mode: int | None = None, prepare: Callable[[int], None] | None = None
) -> Iterator[None]:
    """Write a new file that the block renames; one that still has its name after the block is removed.

    What a killed program left under this name goes. The file has the mode that is given, else what the umask allows;
    `prepare` gets its descriptor before the content is written. All of it is on the disk when the block begins.
    """
    path.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o666 if mode is None else mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if mode is not None:
                os.fchmod(descriptor, mode)
            if prepare is not None:
                prepare(descriptor)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        yield
    finally:
        with suppress(OSError):
            path.unlink()


def sync_folder(folder: Path) -> None:
    """Put the names in a folder on the disk, where its file system and its mode allow that. Raises OSError."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise


def numbered(path: Path, count: int) -> tuple[Path, ...]:
    """Return the names of a file's former contents, newest (`.1`) first, whether they exist or not."""
    return tuple(path.with_name(f"{path.name}.{number}") for number in range(1, count + 1))


def move_on(names: Sequence[Path]) -> None:
    """Rename each file to the next name, the last of which is lost; names without a file are passed over."""
    for newer, older in zip(reversed(names[:-1]), reversed(names[1:]), strict=True):
        with suppress(FileNotFoundError):
            newer.replace(older)


def write_line(descriptor: int, line: bytes, *, alone: bool = True) -> None:
    """Append a line, given without its end, as one write; a full disk leaves no half of it. Raises OSError.

    Half a line at the end, of a writer that was killed, stays alone on its line. `alone` says that nobody else writes
    at the moment; without it, the line begins on a new line in any case.
    """
    size = os.fstat(descriptor).st_size
    torn = size > 0 and (not alone or os.pread(descriptor, 1, size - 1) != b"\n")
    content = (b"\n" if torn else b"") + line + b"\n"
    if os.write(descriptor, content) < len(content):
        if alone:
            os.ftruncate(descriptor, size)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def share(target: int | Path, like: Path) -> None:
    """Open a file or folder, or what is open as a descriptor, to the group that the file `like` is shared with."""
    with suppress(OSError):  # there is no such file yet, or the target is another administrator's, who shared it
        wanted, present = like.stat(), os.stat(target)
        mode = wanted.st_mode & 0o666
        if stat.S_ISDIR(present.st_mode):
            mode |= (mode & 0o444) >> 2  # who may read the file may enter the folder
        if present.st_gid != wanted.st_gid:
            os.chown(target, -1, wanted.st_gid)
        if stat.S_IMODE(present.st_mode) != mode:
            os.chmod(target, mode)


def make_folder(folder: Path, like: Path | None = None) -> None:
    """Make a folder, and those above it, for its owner alone, or shared as the file `like`. Raises OSError.

    A folder that exists stays as it is.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    if like is not None:
        share(folder, like)
