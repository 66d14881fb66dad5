"""A TinyDB storage that reads the registry's file once, and writes all changes at once, durably.

The file is plain TinyDB: tables of documents by number. The table `registry` has one document: the file's format, and
the number of the last change, from which documents take their numbers and hosts their versions.
"""

import contextlib
import errno
import grp
import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from tinydb import TinyDB
from tinydb.storages import Storage
from tinydb.table import Document

from core.errors import RegistryReplaced, UnreadableFile, UnwritableFile
from core.inputs import open_regular
from core.locks import LOCK_DEADLINE, HeldLock, acquire, release
from core.registry.durable import copies_of, replace_registry
from core.registry.records import HOSTS, Contents, NotARecord, contents_of, table_of
from core.text import shell_command

Tables = dict[str, dict[str, Any]]

Former = tuple[bytes, os.stat_result]
"""What a file held, and its status then."""

FORMAT_NAME = "libvirt-realms-registry"
FORMAT_VERSION = 1
"""Version of the file that this program writes; it refuses to read a higher one."""

_TRUSTED = "trusted_locks"
"""Where the registry records why its locks were in doubt when an administrator said to trust them."""

_TRY_AGAIN = "nothing was changed; try again"

ABOUT = "registry"
_FORMAT = re.compile(rf"{FORMAT_NAME}/(\d{{1,9}})")


class NewerFormat(ValueError):
    """The file was written by a newer program."""


class RegistryStorage(Storage):
    """The registry's file in memory: TinyDB reads and changes that, and `commit` writes it where it differs.

    `path` is no symbolic link. A file that is absent, or empty as `touch` makes it, holds nothing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._former = _read(path)
        self._tables = read_tables(self._former[0]) if self._former else {}
        self._hosts_before = json.dumps(self._tables.get(HOSTS, {}))

    def read(self) -> Tables | None:
        """Return the tables, or None where the file holds nothing."""
        return self._tables or None

    def write(self, data: Tables) -> None:
        """Take the tables as they shall be; nothing reaches the disk before `commit`."""
        self._tables = data

    def commit(self, lock: HeldLock) -> None:
        """Write the file if anything differs; its former content is kept if the hosts differ.

        Reservations come and go every few seconds: for them alone the copies don't move on. Raises UnwritableFile, and
        RegistryReplaced where `lock` excludes nobody any more or the file is not the one that was read.
        """
        if not self._tables:
            return
        hosts_differ = json.dumps(self._tables.get(HOSTS, {})) != self._hosts_before
        write_tables(self._path, self._tables, former=self._former, keep=hosts_differ, lock=lock)


def write_tables(path: Path, tables: Tables, *, former: Former | None, keep: bool, lock: HeldLock) -> None:
    """Put tables in the place of a registry's file, which holds `former`; that is kept beside it if `keep` says so.

    Raises UnwritableFile, RegistryReplaced.
    """
    content = (json.dumps(tables, indent=1, allow_nan=False) + "\n").encode("ascii")
    if former and content == former[0]:
        return
    try:
        replace_registry(path, content, former=former, keep=keep, alone=_unchanged(path, former, lock))
    except (FileExistsError, FileNotFoundError) as error:  # someone else writes here, or removed the folder
        raise RegistryReplaced(f"{path}: {error.strerror}", hint=_TRY_AGAIN) from error
    except OSError as error:
        raise _unwritable(path, error) from error


@contextlib.contextmanager
def _unchanged(path: Path, former: Former | None, lock: HeldLock) -> Iterator[None]:
    """Raise RegistryReplaced unless `lock` still excludes others and the file is the one that was read.

    The file itself is locked for the block: of two programs that each hold another lock, as its file was deleted
    between them, the second to come finds that the file is not the one that it has read.
    """
    own = acquire(path, LOCK_DEADLINE) if former else None
    try:
        if not lock.is_everyones():
            raise RegistryReplaced(f"{lock.path} was deleted or replaced during a change", hint=_TRY_AGAIN)
        if (former and own is None) or _identity(bytes_at(path)) != _identity(former):
            message = f"{path} was replaced or written to by something that doesn't lock it"
            raise RegistryReplaced(message, hint=_TRY_AGAIN)
        yield
    finally:
        if own is not None:
            release(own)


def open_database(path: Path) -> tuple[TinyDB, Contents]:
    """Open the registry's file for one transaction, and read what it holds.

    Raises UnreadableFile for a file that can't be read, is damaged (naming its newest good copy), or is too new.
    """
    try:
        database = TinyDB(path, storage=RegistryStorage)
        contents = _checked(database)
    except NewerFormat as error:
        raise UnreadableFile(f"{path} {error}", hint="update this program") from error
    except NotARecord as error:
        raise UnreadableFile(f"{path} is damaged: {error}", hint=_remedy(path)) from error
    except OSError as error:
        message = f"{path} can't be read: {error.strerror or error}"
        hint = _how_to_share(path) if isinstance(error, PermissionError) else ""
        raise UnreadableFile(message, hint=hint) from error
    return database, contents


def check_locks(lock: HeldLock, database: TinyDB, *, trust: bool) -> None:
    """Raise UnwritableFile where `lock` may not exclude others, unless the registry has recorded that it is trusted.

    With `trust` that is recorded. It holds for this kind of storage: on another it is asked for anew.
    """
    try:
        doubt = lock.doubt()
    except OSError as error:
        raise UnwritableFile(f"cannot test the lock {lock.path}: {error.strerror or error}") from error
    about = table_of(database, ABOUT)
    document = about.get(doc_id=1)
    if not doubt or (document is not None and document.get(_TRUSTED) == doubt):
        return
    if not trust:
        message = f"{lock.path} does not exclude other programs: {doubt}"
        hint = "move the registry to storage with shared locks; if only one machine uses it, add --trust-locks once"
        raise UnwritableFile(message, hint=hint)
    if document is None:
        about.insert(Document({"format": f"{FORMAT_NAME}/{FORMAT_VERSION}", "changes": 0, _TRUSTED: doubt}, doc_id=1))
    else:
        about.update({_TRUSTED: doubt}, doc_ids=[1])


def _how_to_share(path: Path) -> str:
    """Return how administrators come to share a registry that only some may read."""
    both = (path.parent, path)
    group = ""
    with contextlib.suppress(OSError, KeyError):  # also where its folder can't be entered
        about = path.stat()
        group = grp.getgrgid(about.st_gid).gr_name if about.st_mode & 0o040 else ""
    if group:
        add = shell_command("usermod -aG", group, "USER")
        return f"it belongs to group {group}: ask an administrator to add you ({add})"
    give, allow = shell_command("chgrp GROUP", *both), shell_command("chmod g+rwX", *both)
    return f"its owner can share it with a group: {give}; {allow}"


def next_number(database: TinyDB) -> int:
    """Count one more change, and give its number: no document and no version has had it before."""
    about = table_of(database, ABOUT)
    document = about.get(doc_id=1)
    if document is None:
        about.insert(Document({"format": f"{FORMAT_NAME}/{FORMAT_VERSION}", "changes": 1}, doc_id=1))
        return 1
    number = int(document["changes"]) + 1
    about.update({"changes": number}, doc_ids=[1])
    return number


def _identity(former: Former | None) -> tuple[object, ...]:
    """Return what differs where a file is another, or was written to: also where its size and time were restored."""
    if former is None:
        return ()
    content, status = former
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, content)


def _read(path: Path) -> Former | None:
    """Read the registry's file; raises NotARecord where it is empty and former contents say that it wasn't."""
    former = bytes_at(path)
    if former is not None and not former[0] and any(copy.exists() for copy in copies_of(path)):
        raise NotARecord("it is empty")
    return former


def bytes_at(path: Path) -> Former | None:
    """Read a regular file and its status; None where there is none. Raises OSError."""
    try:
        file = open_regular(path)
    except FileNotFoundError:
        return None
    with file:
        return file.read(), os.fstat(file.fileno())


def read_tables(content: bytes) -> Tables:
    """Check the file's shape down to its documents; raises NotARecord or NewerFormat."""
    if not content:
        return {}
    try:
        tables = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError, JSONDecodeError, a number of 5,000 digits
        raise NotARecord(f"it is not JSON: {error}") from error
    about = tables.get(ABOUT) if isinstance(tables, dict) else None
    format_name = about["1"].get("format") if isinstance(about, dict) and isinstance(about.get("1"), dict) else None
    match = _FORMAT.fullmatch(format_name) if isinstance(format_name, str) else None
    if match is None:
        raise NotARecord(f"it has no format {FORMAT_NAME}/{FORMAT_VERSION}")
    if (version := int(match[1])) > FORMAT_VERSION:
        raise NewerFormat(f"was written by a newer program: format {version}, this one reads up to {FORMAT_VERSION}")
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise NotARecord(f"{name} is not a table")
        for number, document in table.items():
            if not (number.isascii() and number.isdigit() and len(number) < 16 and isinstance(document, dict)):
                raise NotARecord(f"{number!r} in {name} is not a numbered document")
    return cast("Tables", tables)


def _checked(database: TinyDB) -> Contents:
    contents = contents_of(database)
    document = table_of(database, ABOUT).get(doc_id=1)
    if document is None:
        return contents
    changes = document.get("changes")
    numbers = [*contents.hosts, *contents.reservations, *(host.version for host in contents.hosts.values())]
    if not isinstance(changes, int) or isinstance(changes, bool) or changes < max(numbers, default=0):
        raise NotARecord("its number of changes is below that of a host or reservation")
    return contents


def _remedy(path: Path) -> str:
    """Name the command that puts back the newest copy of a damaged file that can be read."""
    for copy in copies_of(path):
        try:
            _checked(TinyDB(copy, storage=RegistryStorage))
            changed = datetime.fromtimestamp(copy.stat().st_mtime, UTC)
        except (OSError, NotARecord, NewerFormat):
            continue
        command = shell_command("realms --registry", path, "registry", "restore")
        return f"the newest good copy is {copy}, of {changed:%Y-%m-%d %H:%M} UTC: {command}"
    command = shell_command("realms --registry", path, "registry", "restore", "--salvaged")
    return f"no good copy exists; {command} keeps what can be read of it"


def _unwritable(path: Path, error: OSError) -> UnwritableFile:
    hints = {
        errno.EACCES: "its folder must be writable too: each change replaces the file",
        errno.EPERM: "only members can keep its group: join it, or change the file's group",
        errno.EROFS: "the file system is mounted read-only",
        errno.ENOSPC: "free space on the file system",
        errno.EDQUOT: "free space in the quota",
    }
    message = f"{path} can't be written: {error.strerror or error}; it is unchanged"
    return UnwritableFile(message, hint=hints.get(error.errno or 0, ""))
