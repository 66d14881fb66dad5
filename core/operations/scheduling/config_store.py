"""The configurations that logged decisions were made by: each kept once, as long as a line of the log refers to it.

A configuration that is used is touched first, and looked for again once its line is written: a program that tidies up
at that very moment either sees that it is in use, or it is stored anew.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from core.config.export import format_configuration
from core.config.model import Configuration
from core.errors import RegistryBusy, UnwritableFile
from core.files import PRIVATE, make_folder, replace_file, share
from core.inputs import open_regular
from core.locks import exclusive
from core.operations.scheduling.log_file import LOCK_SECONDS

CONFIGURATIONS = "scheduling-configurations"

UNUSED_SECONDS = 24 * 3600.0
"""How long a configuration stays at least after it was used last."""

_REFERENCE = re.compile(rb'"configuration"\s*:\s*"([0-9a-f]{64})"')
_LONGEST_REFERENCE = 256
_CHUNK = 4 * 1024**2
_COMPRESSED = frozenset({".gz", ".bz2", ".xz", ".zst", ".lz4", ".Z"})


def stored_configuration(log: Path, digest: str) -> Path:
    """Name the file that has the configuration of a digest, for decisions of this log."""
    return log.with_name(CONFIGURATIONS) / f"{digest}.conf"


def content_of(configuration: Configuration) -> bytes:
    """Write a configuration as it is stored."""
    return format_configuration(configuration).encode()


def digest_of(configuration: Configuration) -> str:
    """Return the digest by which decisions name the configuration that they were made by."""
    return hashlib.sha256(content_of(configuration)).hexdigest()


def store(log: Path, content: bytes, *, like: Path) -> str:
    """Keep a configuration and give its digest; whoever stores the same at the moment stores equal bytes.

    Raises OSError.
    """
    digest = hashlib.sha256(content).hexdigest()
    stored = stored_configuration(log, digest)
    try:
        os.utime(stored)
    except FileNotFoundError:
        _write(stored, content, like)
    except PermissionError:
        stored.stat()  # another administrator's, who didn't share it: it still is there
    return digest


def _write(stored: Path, content: bytes, like: Path) -> None:
    make_folder(stored.parent, like)
    replace_file(stored, content, mode=PRIVATE, prepare=partial(share, like=like))


def tidy(log: Path) -> tuple[str, ...]:
    """Remove the configurations that no line of the log or of any former file refers to; gives their digests.

    What was used lately stays, and everything where a former file can't be read, as a compressed one. Waits for the
    log's lock, and leaves it to another time where that can't be had.
    """
    log = Path(os.path.realpath(log))
    try:
        unused = set(_unused(log))
        if not unused or not _leave_unreferred(log, unused):
            return ()
        with exclusive(log, LOCK_SECONDS):
            gone = [digest for digest in _unused(log) if digest in unused]  # what was used meanwhile was touched
            for digest in gone:
                stored_configuration(log, digest).unlink(missing_ok=True)
    except (OSError, RegistryBusy, UnwritableFile):
        return ()
    return tuple(sorted(gone))


def _unused(log: Path) -> Iterator[str]:
    """Name the configurations that were not used lately, by the clock of the storage that the log is on."""
    before = log.stat().st_mtime - UNUSED_SECONDS
    for stored in log.with_name(CONFIGURATIONS).glob("*.conf"):
        if re.fullmatch(r"[0-9a-f]{64}", stored.stem) and stored.stat().st_mtime < before:
            yield stored.stem


def _leave_unreferred(log: Path, digests: set[str]) -> bool:
    """Take from `digests` those that a line refers to; False where that can't be known of all lines.

    The newest file first: one that is renamed meanwhile becomes an older one, and is met again.
    """
    files = [path for path in log.parent.iterdir() if ".jsonl" in path.name and path.suffix != ".lock"]
    if any(path.suffix in _COMPRESSED for path in files):
        return False
    files.sort(key=lambda path: (path != log, path.name))
    for path in files:
        with suppress(FileNotFoundError), open_regular(path) as file:
            kept = b""
            while digests and (chunk := file.read(_CHUNK)):
                window = kept + chunk
                digests -= {found.decode() for found in _REFERENCE.findall(window)}
                kept = window[-_LONGEST_REFERENCE:]
    return True
