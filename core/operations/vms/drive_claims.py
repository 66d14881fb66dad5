"""Drives given to one VM at a time: claimed in the journal, and asked for on every host (specification, section 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.codes import ErrorCode
from core.errors import RealmsError
from core.operations.storage.disk_users import Reach, ask_for_disks
from core.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.driver.storage.volumes import Volume
    from core.hosts import Host
    from core.operations.session import Workplace
    from core.operations.tasks.journal import Entry, Journal
    from core.operations.tasks.task import Control
    from core.realms import Realm

DEADLINE = 30.0
"""Seconds that each host has to say which disks its VMs have."""

CLAIM = "claim"
"""Name of the step by which an operation says which drives it is about to use."""


class DriveInUse(RealmsError):
    """Another active VM has the drive, or a host that might run one that has it can't be asked; nothing was changed."""

    code = ErrorCode.DRIVE_IN_USE


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
    hosts: Sequence[Host],
    volumes: Sequence[Volume],
    *,
    but: tuple[str, str] | None = None,
    force: bool = False,
    deadline: float = DEADLINE,
) -> None:
    """Ask all hosts of a realm who has drives; raises DriveInUse where an active VM has one, or might have it.

    Two VMs that write to one drive destroy it for certain, so `force` allows what nobody can tell, and never what is
    seen (specification, section 9). A disabled host can't be asked: its VMs go on running. Of other realms only what
    certainly is the same drive counts; what may be is a warning. `but` is the VM that the drives are for, as host and
    UUID.
    """
    if not volumes:
        return
    pools = sorted({volume.pool for volume in volumes})
    users = ask_for_disks(workplace, control, hosts, pools, deadline, reach=Reach.DISKS)
    names = ", ".join(printable(volume.name) for volume in volumes)
    running: list[tuple[str, str]] = []
    off: list[tuple[str, str]] = []
    for volume in volumes:
        for user in users.of(volume.pool, volume.name, volume.path):
            if (user.host, user.uuid) != but:
                (running if user.active else off).append((printable(volume.name), printable(str(user))))
        for use in users.elsewhere.uses(users.wanted(volume)):
            if use.sure:
                (running if use.active else off).append((printable(volume.name), printable(str(use))))
            elif use.active:
                control.warn(f"drive {printable(volume.name)} may be in use by {printable(str(use))}")
    if running:
        message = "; ".join(f"drive {name} is in use by {user}" for name, user in running)
        raise DriveInUse(message, hint="two VMs that write to one drive destroy it: detach it there first")
    if users.unasked and not force:
        message = f"nobody can tell whether another VM has drive {names}; not asked: {users.why_unasked}"
        raise DriveInUse(message, hint="--force goes on all the same: then be sure that no VM there has it")
    if users.unasked:
        control.warn(f"not asked whether they have drive {names}: {', '.join(users.unasked)}")
    for name, owner in off:
        control.warn(f"drive {name} also belongs to {owner}")
