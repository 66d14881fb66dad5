"""What operations are about to do, written down before each step, so that a killed process leaves no riddle.

A folder beside the registry has a file for each operation under way: JSON lines, the first of which says what it is,
the others the steps, each on the disk before it is taken. The file is locked by the process that works, so that the
kernel tells whether it still lives, and goes when the operation has ended or has been undone. What is left with
nobody's lock was left behind by a process that was killed (specification, section 8).
"""

import errno
import json
import math
import os
import secrets
import socket
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from core.clock import Clock
from core.codes import ErrorCode
from core.errors import RealmsError, UnwritableFile
from core.files import PRIVATE, make_folder, share, sync_folder, write_line
from core.locks import acquire, release, try_lock
from core.operations.paths import current_user
from core.workers import Worker, WorkerState, this_worker, worker_from

FORMAT = "libvirt-realms-journal/1"

_ENDING = ".jsonl"
MOST_BYTES = 64 * 1024**2
"""Of one operation that are read."""

LOCK_PATIENCE = 3.0
"""Seconds for which an operation that is to be taken over may be locked: who only reads it holds it for a moment."""


class Operation(StrEnum):
    """What an operation does. The values stand in journal files: programs of other versions know them too."""

    CREATE = "create"
    START = "start"
    DELETE = "delete"
    RESTORE = "restore"
    ATTACH_DRIVE = "attach-drive"
    MIGRATE = "migrate"
    PLAN = "plan"


class StillAtWork(RealmsError):
    """An operation is not left behind: the process that works on it lives."""

    code = ErrorCode.STILL_AT_WORK


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An operation as its file tells it. `steps` are those that were begun, the last of which may not be done."""

    id: str
    operation: str
    """An `Operation`, or one that only another version of the program knows."""
    vm: str
    uuid: str
    realm: str
    owner: str
    """User, machine and process."""
    began_at: float
    facts: Mapping[str, Any]
    steps: tuple[Mapping[str, Any], ...]
    at_work: bool
    """Whether its process works on it, by its lock."""
    worker: Worker | None = None
    """That process; None where an older program wrote the record."""
    forced: bool = False
    """Whether the administrator has said that nobody works on it."""

    @property
    def is_unknown(self) -> bool:
        """Whether a process may work on it whose lock can't be seen: one of another machine, or of no known one.

        File systems may keep locks for each machine alone.
        """
        if self.at_work or self.forced:
            return False
        return self.worker is None or self.worker.state() is WorkerState.UNKNOWN

    @property
    def may_run(self) -> bool:
        """Whether its process works on it, or that is unknown."""
        return self.at_work or self.is_unknown

    def all(self, step: str) -> tuple[Mapping[str, Any], ...]:
        """Return all steps of a name."""
        return tuple(each for each in self.steps if each["step"] == step)

    def last(self, step: str) -> Mapping[str, Any] | None:
        """Return the last step of a name; None where it was never begun."""
        found = self.all(step)
        return found[-1] if found else None


class JournalEntry:
    """The file of an operation of this process. `step` comes before each step, `close` after the last."""

    def __init__(self, path: Path, descriptor: int, identity: str, owner: str, clock: Clock) -> None:
        self.id = identity
        self.owner = owner
        """User, machine, process and operation: who holds the reservations taken for it."""
        self._path = path
        self._descriptor = descriptor
        self._clock = clock

    def step(self, name: str, **facts: object) -> None:
        """Write down a step that is about to be taken; it is on the disk when this returns. Raises UnwritableFile."""
        self._write({"step": name, "time": self._clock.now(), **facts})

    def close(self) -> None:
        """Forget the operation: it has ended, and nothing of it is left half done."""
        with suppress(OSError):
            self._path.unlink()
            sync_folder(self._path.parent)
        self.leave()

    @contextmanager
    def kept_on_failure(self) -> Iterator[None]:
        """Forget the operation at the end of the block; one that fails is left for later."""
        try:
            yield
            self.close()
        finally:
            self.leave()

    def leave(self) -> None:
        """Let go of the operation without forgetting it: what is left of it is for others to see."""
        if self._descriptor >= 0:
            release(self._descriptor)
            self._descriptor = -1

    def _write(self, line: Mapping[str, object]) -> None:
        content = json.dumps(line, allow_nan=False).encode("ascii")
        try:
            write_line(self._descriptor, content)
            os.fsync(self._descriptor)
        except OSError as error:
            message = f"{self._path} can't be written: {error.strerror or error}"
            raise UnwritableFile(message, hint="an operation cannot continue without its journal") from error


class Journal:
    """The operations under way or left behind, of all programs that share a registry."""

    def __init__(self, registry: Path, clock: Clock, *, lock_patience: float = LOCK_PATIENCE) -> None:
        target = registry.resolve()
        self.folder = target.with_name(f"{target.stem}.journal")
        self._like = target
        self._clock = clock
        self._lock_patience = lock_patience

    def begin(self, operation: Operation, *, vm: str, uuid: str, realm: str, **facts: object) -> JournalEntry:
        """Begin an operation; raises UnwritableFile."""
        identity = secrets.token_hex(4)
        now = self._clock.now()
        moment = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%S")
        path = self.folder / f"{moment}-{operation}-{identity}{_ENDING}"
        fresh = path.with_suffix(".new")
        owner = f"{current_user()} on {socket.gethostname()}, process {os.getpid()}, operation {identity}"
        try:
            make_folder(self.folder, self._like)
            entry = JournalEntry(path, _create(fresh, self._like), identity, owner, self._clock)
            head = {"vm": vm, "uuid": uuid, "realm": realm, "owner": owner, "time": now, **facts}
            head["worker"] = this_worker().as_mapping()
            entry._write({"format": FORMAT, "operation": operation, "id": identity, **head})
            fresh.rename(path)  # locked before anyone can find it
            sync_folder(self.folder)
        except OSError as error:
            message = f"cannot write a journal in {self.folder}: {error.strerror or error}"
            raise UnwritableFile(message, hint="the folder must be writable, like the registry next to it") from error
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
        """Read the operations whose process was killed in their midst; none of which that is unknown."""
        return tuple(record for record in self.records() if not record.may_run)

    @contextmanager
    def taking_over(self, identity: str, *, force: bool = False) -> Iterator[JournalEntry]:
        """Hold an operation that was left behind while it is cleaned up, so that no other program does so too.

        Closing the entry forgets the operation. Raises StillAtWork where someone works on it, and, without `force`,
        where that can't be verified.
        """
        for path in self._files():
            if not path.name.endswith(f"-{identity}{_ENDING}"):
                continue
            try:
                descriptor = acquire(path, self._lock_patience)
            except OSError:  # another program has done so meanwhile
                break
            if descriptor is None:
                break
            entry = JournalEntry(path, descriptor, identity, "", self._clock)
            try:
                record = _read(descriptor, at_work=False)
                if record is not None and record.is_unknown and not force:
                    raise StillAtWork(cannot_verify(record), hint="take it over with --force if you are sure")
                entry.owner = record.owner if record else ""
                yield entry
            finally:
                entry.leave()
            return
        raise StillAtWork(f"operation {identity} has finished or is in progress", hint="see realms vms recover")

    def _files(self) -> list[Path]:
        try:
            return sorted(path for path in self.folder.iterdir() if path.name.endswith(_ENDING))
        except OSError:
            return []


def cannot_verify(record: Record) -> str:
    """Return why nobody takes over an operation unasked."""
    why = "an older program wrote its record" if record.worker is None else "it was started on another machine"
    return f"can't verify that the {record.operation} by {record.owner} isn't running: {why}"


def _create(path: Path, like: Path) -> int:
    """Make a file that nobody knows yet, and lock it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, PRIVATE)
    share(descriptor, like)
    if not try_lock(descriptor):
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    return descriptor


@contextmanager
def _opened(path: Path) -> Iterator[int | None]:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        yield None
        return
    try:
        yield descriptor if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
    finally:
        os.close(descriptor)


def _look(descriptor: int) -> Record | None:
    try:
        at_work = not try_lock(descriptor, shared=True)
    except OSError:  # unknown, so nobody takes it over
        at_work = True
    if not at_work and not os.fstat(descriptor).st_nlink:  # it has ended since its file was opened
        return None
    return _read(descriptor, at_work=at_work)


def _read(descriptor: int, *, at_work: bool) -> Record | None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with os.fdopen(os.dup(descriptor), "rb") as file:
        lines = file.read(MOST_BYTES).split(b"\n")[:-1]  # what comes after the last end of a line was never finished
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
            worker=worker_from(head.get("worker")),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
