"""What operations are about to do, written down before each step, so that a killed process leaves no riddle.

A folder beside the registry has a file for each operation under way: JSON lines, the first of which says what it is,
the others the steps, each on the disk before it is taken. The file is locked by the process that works, so that the
kernel tells whether it still lives, and goes when the operation has ended or has been undone. What is left with
nobody's lock was left behind by a process that was killed (specification, section 8).
"""

from __future__ import annotations

import errno
import fcntl
import json
import math
import os
import secrets
import socket
import stat
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from core.errors import RealmsError, UnwritableFile
from core.operations.places import current_user

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from core.clock import Clock

FORMAT = "libvirt-realms-journal/1"

_ENDING = ".jsonl"

LOCK_PATIENCE = 3.0
"""Seconds for which an operation that is to be taken over may be locked: who only reads it holds it for a moment."""

_LOCK_EVERY = 0.02


class StillAtWork(RealmsError):
    """An operation is not left behind: the process that works on it lives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An operation as its file tells it. `steps` are those that were begun, the last of which may not be done."""

    id: str
    operation: str
    vm: str
    uuid: str
    realm: str
    owner: str
    """User, machine and process."""
    began_at: float
    facts: Mapping[str, Any]
    steps: tuple[Mapping[str, Any], ...]
    at_work: bool
    """Whether its process lives."""

    def all(self, step: str) -> tuple[Mapping[str, Any], ...]:
        """Give all steps of a name."""
        return tuple(each for each in self.steps if each["step"] == step)

    def last(self, step: str) -> Mapping[str, Any] | None:
        """Give the last step of a name; None where it was never begun."""
        found = self.all(step)
        return found[-1] if found else None


class Entry:
    """The file of an operation of this process. `step` comes before each step, `close` after the last."""

    def __init__(self, path: Path, descriptor: int, identity: str, owner: str, clock: Clock) -> None:
        self.id = identity
        self.owner = owner
        """User, machine, process and operation: who holds the reservations taken for it."""
        self._path = path
        self._descriptor = descriptor
        self._clock = clock
        self._is_torn = False
        """Whether the file ends with half a line, of a writer that was killed or a full disk."""

    def step(self, name: str, **facts: object) -> None:
        """Write down a step that is about to be taken; it is on the disk when this returns. Raises UnwritableFile."""
        self._write({"step": name, "time": self._clock.now(), **facts})

    def close(self) -> None:
        """Forget the operation: it has ended, and nothing of it is left half done."""
        with suppress(OSError):
            self._path.unlink()
            _sync_folder(self._path.parent)
        self.leave()

    @contextmanager
    def kept_on_failure(self) -> Iterator[None]:
        """Forget the operation at the end of the block; one that fails is left for later."""
        try:
            yield
            self.close()
        finally:
            self.leave()

    def go_on(self) -> None:
        """Go on in a file that another process wrote: half a line at its end stays alone on its line."""
        size = os.fstat(self._descriptor).st_size
        self._is_torn = size > 0 and os.pread(self._descriptor, 1, size - 1) != b"\n"

    def leave(self) -> None:
        """Let go of the operation without forgetting it: what is left of it is for others to see."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _write(self, line: Mapping[str, object]) -> None:
        begin = "\n" if self._is_torn else ""
        content = f"{begin}{json.dumps(line, allow_nan=False)}\n".encode("ascii")
        self._is_torn = True  # until it is whole
        try:
            _write_whole(self._descriptor, content)
            self._is_torn = False
            os.fsync(self._descriptor)
        except OSError as error:
            message = f"{self._path} can't be written: {error.strerror or error}"
            raise UnwritableFile(message, hint="without its journal no operation goes on") from error


class Journal:
    """The operations under way or left behind, of all programs that share a registry."""

    def __init__(self, registry: Path, clock: Clock, *, lock_patience: float = LOCK_PATIENCE) -> None:
        target = registry.resolve()
        self.folder = target.with_name(f"{target.stem}.journal")
        self._like = target
        self._clock = clock
        self._lock_patience = lock_patience

    def begin(self, operation: str, *, vm: str, uuid: str, realm: str, **facts: object) -> Entry:
        """Begin an operation; raises UnwritableFile."""
        identity = secrets.token_hex(4)
        now = self._clock.now()
        moment = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%S")
        path = self.folder / f"{moment}-{operation}-{identity}{_ENDING}"
        fresh = path.with_suffix(".new")
        owner = f"{current_user()} on {socket.gethostname()}, process {os.getpid()}, operation {identity}"
        try:
            self._make_folder()
            descriptor = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
            self._share(descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            entry = Entry(path, descriptor, identity, owner, self._clock)
            head = {"vm": vm, "uuid": uuid, "realm": realm, "owner": owner, "time": now, **facts}
            entry._write({"format": FORMAT, "operation": operation, "id": identity, **head})
            fresh.rename(path)  # locked before anyone can find it
            _sync_folder(self.folder)
        except OSError as error:
            message = f"no journal can be kept in {self.folder}: {error.strerror or error}"
            raise UnwritableFile(message, hint="it must be writable, as the registry beside it") from error
        return entry

    def records(self) -> tuple[Record, ...]:
        """Read all operations, oldest first: those under way and those left behind."""
        found = []
        for path in self._files():
            with _opened(path) as descriptor:
                # Shared: several programs may look at the same moment, and none takes another for a worker.
                record = None if descriptor is None else _look(descriptor)
            if record is not None:
                found.append(record)
        return tuple(sorted(found, key=lambda record: (record.began_at, record.id)))

    def left_behind(self) -> tuple[Record, ...]:
        """Read the operations whose process was killed in their midst."""
        return tuple(record for record in self.records() if not record.at_work)

    @contextmanager
    def taking_over(self, identity: str) -> Iterator[Entry]:
        """Hold an operation that was left behind while it is cleaned up, so that no other program does so too.

        Closing the entry forgets the operation. Raises StillAtWork where someone works on it.
        """
        for path in self._files():
            if not path.name.endswith(f"-{identity}{_ENDING}"):
                continue
            with _opened(path) as descriptor:
                if descriptor is None or not self._lock_for_work(descriptor):
                    break
                if not path.exists():  # another program has done so meanwhile
                    break
                record = _read(descriptor, at_work=False)
                # A descriptor of its own, of the same open file and so of the same lock.
                entry = Entry(path, os.dup(descriptor), identity, record.owner if record else "", self._clock)
                try:
                    entry.go_on()
                    yield entry
                finally:
                    entry.leave()
            return
        raise StillAtWork(f"operation {identity} has ended, or someone works on it", hint="see realms vms recover")

    def _lock_for_work(self, descriptor: int) -> bool:
        """Lock an operation unless someone works on it; programs that only look at it hold a lock for a moment too."""
        for _ in range(int(self._lock_patience / _LOCK_EVERY)):
            if _lock(descriptor):
                return True
            time.sleep(_LOCK_EVERY)  # flock waits for ever, or not at all
        return _lock(descriptor)

    def _files(self) -> list[Path]:
        try:
            return sorted(path for path in self.folder.iterdir() if path.name.endswith(_ENDING))
        except OSError:
            return []

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True)
        except FileExistsError:
            return
        with suppress(OSError):  # shared with whom the registry is shared
            like = self._like.stat()
            os.chown(self.folder, -1, like.st_gid)
            mode = stat.S_IMODE(like.st_mode) & 0o666
            self.folder.chmod(mode | (mode & 0o444) >> 2)

    def _share(self, descriptor: int) -> None:
        with suppress(OSError):
            like = self._like.stat()
            os.fchown(descriptor, -1, like.st_gid)
            os.fchmod(descriptor, stat.S_IMODE(like.st_mode) & 0o666)


@contextmanager
def _opened(path: Path) -> Iterator[int | None]:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
    except OSError:
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(descriptor: int, how: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _write_whole(descriptor: int, content: bytes) -> None:
    if os.write(descriptor, content) < len(content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _look(descriptor: int) -> Record | None:
    at_work = not _lock(descriptor, fcntl.LOCK_SH)
    if not at_work and not os.fstat(descriptor).st_nlink:  # it has ended since its file was opened
        return None
    return _read(descriptor, at_work=at_work)


def _read(descriptor: int, *, at_work: bool) -> Record | None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with os.fdopen(os.dup(descriptor), "rb") as file:
        lines = file.read().split(b"\n")[:-1]  # what comes after the last end of a line was never finished
    parsed = []
    for line in lines:
        with suppress(ValueError):
            parsed.append(json.loads(line))
    head = parsed[0] if parsed and isinstance(parsed[0], dict) else {}
    if head.get("format") != FORMAT:
        return None
    steps = tuple(step for step in parsed[1:] if isinstance(step, dict) and isinstance(step.get("step"), str))
    try:
        began_at = float(head["time"])
        if not math.isfinite(began_at):
            return None
        return Record(
            id=str(head["id"]),
            operation=str(head["operation"]),
            vm=str(head["vm"]),
            uuid=str(head["uuid"]),
            realm=str(head["realm"]),
            owner=str(head["owner"]),
            began_at=began_at,
            facts=head,
            steps=steps,
            at_work=at_work,
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
