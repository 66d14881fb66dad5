"""What can be read of a registry's file, good or damaged, and how it is put back."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from tinydb.table import Document

from core.errors import UnreadableFile, UnwritableFile
from core.files import PRIVATE, replace_file, share
from core.hosts import Host
from core.locks import LOCK_DEADLINE, exclusive
from core.registry.durable import copies_of
from core.registry.records import HOSTS, RESERVATIONS, Fields, NotARecord, host_from, read_document, reservation_from
from core.registry.storage import (
    ABOUT,
    FORMAT_NAME,
    FORMAT_VERSION,
    NewerFormat,
    Tables,
    bytes_at,
    open_database,
    read_tables,
    write_tables,
)
from core.reservations import Reservation

_UNSEEN_CHANGES = 1_000_000
"""Numbers passed over where a damaged file doesn't say how many were given: programs may remember them as versions."""

Record = TypeVar("Record")

_NUMBERED = re.compile(r'"(\d{1,15})"\s*:\s*(?=\{)')


class FileState(StrEnum):
    """What a registry's file is like."""

    GOOD = "good"
    ABSENT = "absent"
    DAMAGED = "damaged"
    NEWER = "newer"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """A registry's file or one of its copies, and all that can be read of it."""

    path: Path
    state: FileState
    message: str = ""
    hint: str = ""
    changed_at: float | None = None
    """When it was written, in seconds since the epoch."""
    hosts: Mapping[int, Host] = field(default_factory=dict)
    reservations: Mapping[int, Reservation] = field(default_factory=dict)
    lost: tuple[str, ...] = ()
    """What can't be read, each with the reason."""
    changes: int | None = None
    """Number of its last change; None where it doesn't say."""
    documents: Mapping[str, Mapping[int, Fields]] = field(default_factory=dict)
    """The documents behind hosts and reservations, with fields that this program doesn't know."""


def inspect(path: Path) -> Inspection:
    """Read all that can be read of a registry's file; never raises for what is wrong with it."""
    try:
        former = bytes_at(path)
    except OSError as error:
        return Inspection(path=path, state=FileState.UNREADABLE, message=error.strerror or str(error))
    if former is None:
        return Inspection(path=path, state=FileState.ABSENT)
    changed_at = former[1].st_mtime
    try:
        open_database(path)
        state, message, hint = FileState.GOOD, "", ""
    except UnreadableFile as error:
        state, message, hint = FileState.DAMAGED, error.message, error.hint
    try:
        found = _documents(read_tables(former[0]))
    except NewerFormat:
        return Inspection(path=path, state=FileState.NEWER, message=message, hint=hint, changed_at=changed_at)
    except NotARecord:
        found = _scattered(former[0])
    hosts, lost_hosts = _read_all(found[HOSTS], "host", host_from, lambda host: host.name)
    reservations, lost = _read_all(found[RESERVATIONS], "reservation", reservation_from, lambda each: each.uuid)
    about = found[ABOUT].get(1, {}).get("changes")
    return Inspection(
        path=path,
        state=state,
        message=message,
        hint=hint,
        changed_at=changed_at,
        hosts=hosts,
        reservations=reservations,
        lost=(*lost_hosts, *lost),
        changes=about if isinstance(about, int) and not isinstance(about, bool) else None,
        documents={
            ABOUT: found[ABOUT],
            HOSTS: {number: found[HOSTS][number] for number in hosts},
            RESERVATIONS: {number: found[RESERVATIONS][number] for number in reservations},
        },
    )


def _documents(tables: Tables) -> dict[str, dict[int, Fields]]:
    return {
        name: {int(number): document for number, document in tables.get(name, {}).items()}
        for name in (ABOUT, HOSTS, RESERVATIONS)
    }


def _scattered(content: bytes) -> dict[str, dict[int, Fields]]:
    """Find whole documents in a text that is no whole JSON: cut off, or with something else in its midst."""
    found: dict[str, dict[int, Fields]] = {ABOUT: {}, HOSTS: {}, RESERVATIONS: {}}
    text = content.decode("utf-8", errors="replace")
    decoder = json.JSONDecoder()
    for match in _NUMBERED.finditer(text):
        try:
            document, _ = decoder.raw_decode(text, match.end())
        except (ValueError, RecursionError):
            continue
        name = ABOUT if "changes" in document else RESERVATIONS if "expires_at" in document else HOSTS
        if name != HOSTS or "uri" in document:
            found[name].setdefault(int(match[1]), document)
    return found


def _read_all(
    documents: Mapping[int, Fields],
    kind: str,
    read: Callable[[Mapping[str, Any]], Record],
    key: Callable[[Record], str],
) -> tuple[dict[int, Record], list[str]]:
    found: dict[int, Record] = {}
    lost = []
    keys: set[str] = set()
    for number, document in documents.items():
        try:
            record = read_document(Document(document, doc_id=number), kind, read)
        except NotARecord as error:
            lost.append(str(error))
            continue
        if key(record) in keys:
            lost.append(f"{kind} {number}: {key(record)!r} is there twice")
            continue
        keys.add(key(record))
        found[number] = record
    return found, lost


@dataclass(frozen=True, slots=True)
class RegistryRestore:
    """What was put back: from which file, and where the damaged one is kept, None where it was good."""

    source: Inspection
    aside: Path | None


def restore(path: Path, source: Path | None, *, lock_deadline: float = LOCK_DEADLINE) -> RegistryRestore:
    """Put the hosts of a copy into a registry's file, under its lock; without a `source`, of the newest good copy.

    `source` may be the file itself: what can be read of it stays. Reservations of the file that can be read stay, since
    programs work by them. A damaged file is kept as `.damaged`. Raises UnreadableFile, where nothing can be read of the
    source, UnwritableFile, RegistryBusy, RegistryReplaced.
    """
    path = path.resolve()
    with exclusive(path, lock_deadline) as lock:
        try:
            former = bytes_at(path)
        except OSError as error:
            raise UnreadableFile(f"{path} can't be read: {error.strerror or error}") from error
        present = inspect(path)
        if present.state is FileState.NEWER:
            raise UnreadableFile(present.message, hint=present.hint)
        chosen = _source(path, source)
        tables = _merged(path, chosen, present)
        aside = None
        if former and present.state is FileState.DAMAGED:
            aside = path.with_name(f"{path.name}.damaged")
            try:
                replace_file(aside, former[0], mode=PRIVATE, prepare=lambda descriptor: share(descriptor, path))
            except OSError as error:
                raise UnwritableFile(f"{aside} can't be written: {error.strerror or error}") from error
        write_tables(path, tables, former=former, keep=present.state is FileState.GOOD, lock=lock)
    return RegistryRestore(chosen, aside)


def _source(path: Path, source: Path | None) -> Inspection:
    if source is not None:
        found = inspect(source)
        own = source.resolve() == path
        if found.state is FileState.GOOD or (own and found.hosts):
            return found
        why = found.message or f"{source}: no such file"
        raise UnreadableFile(f"nothing was restored: {why}", hint="realms registry check lists all copies")
    for copy in copies_of(path):
        if (found := inspect(copy)).state is FileState.GOOD:
            return found
    message = f"nothing was restored: {path} has no good copy"
    raise UnreadableFile(message, hint="keep what can be read of the file itself: realms registry restore --salvaged")


def _merged(path: Path, chosen: Inspection, present: Inspection) -> Tables:
    """Return the hosts of one with the reservations of the other, numbered on from all that is known."""
    known = [*(inspect(copy) for copy in copies_of(path)), chosen, present]
    numbers = [max((each.changes or 0, *each.hosts, *each.reservations)) for each in known]
    versions = [host.version for each in known for host in each.hosts.values()]
    unseen = 0 if present.state is FileState.GOOD else _UNSEEN_CHANGES
    changes = max([*numbers, *versions]) + 1 + unseen
    return {
        ABOUT: {
            "1": {
                **present.documents.get(ABOUT, {}).get(1, {}),
                "format": f"{FORMAT_NAME}/{FORMAT_VERSION}",
                "changes": changes,
            }
        },
        HOSTS: {str(number): document for number, document in chosen.documents[HOSTS].items()},
        RESERVATIONS: {str(number): document for number, document in present.documents.get(RESERVATIONS, {}).items()},
    }
