"""Volumes, drives and bricks deleted where nothing uses them, and no operation works on them (specification, 9)."""

import posixpath
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from core.driver.connection.jobs import job_connection
from core.driver.storage.volumes import discard_volume
from core.errors import DriverError
from core.hosts import Host
from core.operations.selection import check_known
from core.operations.session import Session
from core.operations.storage.host_facts import ask_other_realms
from core.operations.storage.images import DEADLINE
from core.operations.storage.policy import Allow, VolumeUsers, ensure_unused, say_unasked
from core.operations.storage.pool_report import PoolRole
from core.operations.storage.usage import INCOMPLETE, Image, ImagesReport, look_at_images
from core.operations.storage.users import UseKind, VolumeUser
from core.operations.tasks.journal import Journal, Record
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Control
from core.realms import Realm
from core.text import shell_command


def look_at_volumes(
    session: Session,
    control: Control,
    realm: Realm,
    hosts: Sequence[Host],
    deadline: float = DEADLINE,
    *,
    role: PoolRole = PoolRole.VOLUMES,
) -> ImagesReport:
    """Ask every host for the volumes in a pool, and who uses them; whoever works on one uses it too.

    Hosts of other realms are asked too: their pools may lie on the same storage.
    """
    records = _records(session)  # first: what ends meanwhile has left its VM or its volume to be seen
    others = ask_other_realms(session, realm.id, deadline, contents=True)
    report = look_at_images(control, realm, hosts, role, deadline, others=others)
    return _with_operations(report, (*records, *_records(session)))


def delete_volume(
    session: Session,
    control: Control,
    realm: Realm,
    hosts: Sequence[Host],
    *,
    name: str,
    role: PoolRole = PoolRole.VOLUMES,
    force: bool = False,
    agreed: Collection[str] | None = None,
    dry_run: bool = False,
    deadline: float = DEADLINE,
) -> None:
    """Delete a volume, or a drive or brick, that no VM has, nothing is an overlay of, and no operation works on.

    `force` goes on where use is unknown, as a host can't be asked, only a mark names a brick, or a killed operation has
    left it, and warns of that; never where it is known to be in use. Of uses that may be it covers those that were
    `agreed`, in words, if that is given. A `dry_run` ends before anything is deleted. Raises UsageError, VolumeInUse,
    VolumeUseUnknown, DriverError.
    """
    report = look_at_volumes(session, control, realm, hosts, deadline, role=role)
    one = role.value.removesuffix("s")
    known = {image.name: image for image in report.images}
    if name not in known and report.unasked:
        raise DriverError("", f"no host that answers has a {one} {name!r}; {say_unasked(report.unasked)}")
    check_known(one, name, known)
    image = known[name]
    hint = "" if agreed is None else f"realms {role} delete "
    left = any(use.kind is UseKind.OPERATION for use in image.uses)
    passed = ensure_unused(
        [VolumeUsers(f"{one} {name}", image.users)],
        report.unasked,
        Allow(possible=force, unasked=force, agreed=agreed),
        hint=_how_to_free(report, image),
        unknown_hint=f"{'realms vms recover cleans up; ' if left else ''}override with {hint}--force",
    )
    for doubt in filter(None, (*passed, report.remark)):
        control.warn(doubt)
    if dry_run:
        return
    seen_by = [host for host in hosts if host.name in image.hosts]
    for number, host in enumerate(seen_by):  # shared storage is done with the first; the others learn that it is gone
        try:
            what = f"verify that {name} is gone" if number else f"delete {name}"
            with control.step(StepKind.DELETE, what, host.name), job_connection(host, deadline) as connection:
                for each in (name, name + INCOMPLETE):
                    discard_volume(connection, image.pool, each)
        except DriverError as error:
            if number == 0:
                raise
            control.warn(f"the {one} {name} may still be listed there: {error}")


def _how_to_free(report: ImagesReport, image: Image) -> str:
    """Return what has to go first."""
    pool = report.realm.volumes_pool
    overlays = (use for use in image.uses if use.kind is UseKind.OVERLAY and use.pool == pool)
    spare = [use.name for use in overlays if not use.vms and not use.realm]
    if spare:
        return "orphaned volumes: " + "; ".join(shell_command("realms volumes delete", name) for name in spare)
    if any(use.kind is UseKind.OPERATION for use in image.uses):
        return "wait until it has finished"
    kinds = {PoolRole.BRICKS: "delete those first", PoolRole.DRIVES: "detach it first"}
    return kinds.get(report.role, "use realms vms delete --volumes to delete a VM with its volumes")


def is_orphaned(report: ImagesReport, image: Image) -> bool | None:
    """Return whether nothing uses a volume; None where something may, or a host that might could not be asked."""
    if is_known_to_be_used(image):
        return False
    return None if report.unasked or image.uses else True


def is_known_to_be_used(image: Image) -> bool:
    """Return whether something certainly uses a volume."""
    return any(use.certain for use in image.uses)


def _records(session: Session) -> tuple[Record, ...]:
    return Journal(session.registry.path, session.clock).records() if session.registry is not None else ()


def _with_operations(report: ImagesReport, records: Sequence[Record]) -> ImagesReport:
    latest = tuple({record.id: record for record in records}.values())
    images = tuple(replace(image, uses=(*image.uses, *_operations(image, latest))) for image in report.images)
    return replace(report, images=images)


def _operations(image: Image, records: Sequence[Record]) -> Iterator[VolumeUser]:
    for record in records:
        if image.name in _names(record.facts) or any(image.name in _names(step) for step in record.steps):
            yield VolumeUser(UseKind.OPERATION, f"{record.operation} of VM {record.vm}", active=record.may_run)


def _names(value: object) -> set[str]:
    """Return every word of a step that may name a volume, by its name or by its path."""
    match value:
        case str():
            return {value, posixpath.basename(value)}
        case dict():
            return set().union(*map(_names, value.values()))
        case list():
            return set().union(*map(_names, value))
    return set()
