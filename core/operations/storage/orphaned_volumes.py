"""Volumes that no VM has, as those left when a VM was deleted: they may go, unless an operation works on them (9)."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING

from core.operations.storage.host_facts import ask_other_realms
from core.operations.storage.images import DEADLINE, delete_image
from core.operations.storage.pool_report import PoolRole
from core.operations.storage.usage import ImagesReport, look_at_images
from core.operations.storage.users import UseKind, VolumeUser
from core.operations.tasks.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from core.hosts import Host
    from core.operations.session import Workplace
    from core.operations.storage.usage import Image
    from core.operations.tasks.journal import Record
    from core.operations.tasks.task import Control
    from core.realms import Realm


def look_at_volumes(
    workplace: Workplace,
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
    records = _records(workplace)  # first: what ends meanwhile has left its VM or its volume to be seen
    others = ask_other_realms(workplace, realm.id, deadline, contents=True)
    report = look_at_images(control, realm, hosts, role, deadline, others=others)
    return _with_operations(report, (*records, *_records(workplace)))


def delete_volume(
    workplace: Workplace,
    control: Control,
    realm: Realm,
    hosts: Sequence[Host],
    *,
    name: str,
    role: PoolRole = PoolRole.VOLUMES,
    force: bool = False,
    agreed: Collection[str] | None = None,
    deadline: float = DEADLINE,
) -> ImagesReport:
    """Delete a volume, or a drive or brick, that no VM has, nothing is an overlay of, and no operation works on.

    `force` goes on where nobody can tell, as a host can't be asked, and where a killed operation has left it; never
    where it is known to be in use. Of uses that may be it covers those that were `agreed`, in words, if that is given.
    Raises UsageError, VolumeInUse, VolumeUseUnknown, DriverError.
    """
    return delete_image(
        control, realm, hosts, role, name=name, force=force, agreed=agreed, deadline=deadline,
        look=lambda: look_at_volumes(workplace, control, realm, hosts, deadline, role=role),
    )  # fmt: skip


def is_orphaned(report: ImagesReport, image: Image) -> bool | None:
    """Tell whether nothing uses a volume; None where something may, or a host that might could not be asked."""
    if is_known_to_be_used(image):
        return False
    return None if report.unasked or image.uses else True


def is_known_to_be_used(image: Image) -> bool:
    """Tell whether something certainly uses a volume."""
    return any(use.certain for use in image.uses)


def _records(workplace: Workplace) -> tuple[Record, ...]:
    return Journal(workplace.registry.path, workplace.clock).records() if workplace.registry is not None else ()


def _with_operations(report: ImagesReport, records: Sequence[Record]) -> ImagesReport:
    latest = tuple({record.id: record for record in records}.values())
    images = tuple(replace(image, uses=(*image.uses, *_operations(image, latest))) for image in report.images)
    return replace(report, images=images)


def _operations(image: Image, records: Sequence[Record]) -> Iterator[VolumeUser]:
    for record in records:
        if image.name in _names(record.facts) or any(image.name in _names(step) for step in record.steps):
            yield VolumeUser(UseKind.OPERATION, f"{record.operation} of VM {record.vm}", active=record.at_work)


def _names(value: object) -> set[str]:
    """Give every word of a step that may name a volume, by its name or by its path."""
    match value:
        case str():
            return {value, posixpath.basename(value)}
        case dict():
            return set().union(*map(_names, value.values()))
        case list():
            return set().union(*map(_names, value))
    return set()
