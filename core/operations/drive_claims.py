"""Drives given to one VM at a time: claimed in the journal, and asked for on every host (specification, section 9)."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from core.errors import RealmsError
from core.operations.host_access import HostAccess
from core.operations.on_hosts import on_each

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.driver.disks import DomainDisks
    from core.driver.volumes import Volume
    from core.hosts import Host
    from core.operations.journal import Entry, Journal
    from core.operations.tasks import Control
    from core.operations.workplace import Workplace
    from core.realms import Realm

CLAIM = "claim"
"""Name of the step by which an operation says which drives it is about to use."""


class DriveInUse(RealmsError):
    """Another active VM has the drive, or a host that might run one that has it can't be asked."""


def claim_drives(journal: Journal, entry: Entry, realm: Realm, drives: Sequence[str]) -> None:
    """Say which drives an operation is about to use; to be called under the registry's lock.

    Raises DriveInUse where another operation under way has claimed one of them.
    """
    if not drives:
        return
    entry.step(CLAIM, realm=realm.id, drives=list(drives))
    for record in journal.records():
        if record.id == entry.id or not record.at_work or record.realm != realm.id:
            continue
        for step in record.all(CLAIM):
            for drive in set(drives) & set(step.get("drives", ())):
                message = f"drive {drive} is being given to {record.vm} by {record.owner}"
                raise DriveInUse(message, hint="wait until that has ended")


def refuse_drives_in_use(
    workplace: Workplace,
    control: Control,
    realm: Realm,
    volumes: Sequence[Volume],
    uuid: str,
    *,
    force: bool = False,
) -> None:
    """Ask every host of the realm whether an active VM other than `uuid` has one of these volumes; raises DriveInUse.

    With `force` it is a warning where a host can't be asked, or a VM has it.
    """
    if not volumes:
        return
    users, unasked = users_of(workplace, control, realm, volumes)
    problems = [
        f"drive {volume} is in use by {host.name}/{vm.name}"
        for volume, host, vm in users
        if vm.active and vm.uuid != uuid
    ]
    problems += [
        f"nobody can tell whether a VM on {host} has {', '.join(volume.name for volume in volumes)}: {reason}"
        for host, reason in unasked.items()
    ]
    if problems and not force:
        raise DriveInUse("; ".join(problems), hint="detach it there first; --force goes on all the same")
    for problem in problems:
        control.warn(problem)


def users_of(
    workplace: Workplace, control: Control, realm: Realm, volumes: Sequence[Volume]
) -> tuple[tuple[tuple[str, Host, DomainDisks], ...], Mapping[str, str]]:
    """Find every domain that uses one of these volumes, as volume, host, domain; and hosts not asked, and why."""
    from core.driver.disks import read_disks

    hosts = [snapshot.host for snapshot in workplace.fleet().hosts if snapshot.host.realm == realm.id]
    asked = [host for host in hosts if host.state.connects]
    for host in hosts:
        if not host.state.connects:
            control.warn(f"{host.name} is disabled, and was not asked what its VMs use")

    def ask(host: Host) -> tuple[DomainDisks, ...]:
        with HostAccess(workplace, host) as access:
            return access.slow(read_disks)

    with control.step("ask which VMs use the drives"):
        answers = on_each(asked, ask)
    found = []
    for answer in answers:
        for domain in answer.value or ():
            files = {posixpath.normpath(path) for path in domain.files}
            found += [
                (volume.name, answer.host, domain)
                for volume in volumes
                if posixpath.normpath(volume.path) in files or (volume.pool, volume.name) in domain.volumes
            ]
    unasked = {answer.host.name: answer.error.message for answer in answers if answer.error is not None}
    return tuple(found), unasked
