"""Drives given to one VM at a time: claimed in the journal, and asked for on every host (specification, section 9)."""

from collections.abc import Sequence

from core.driver.storage.volumes import Volume
from core.hosts import Host
from core.operations.session import Session
from core.operations.storage.policy import Allow, VolumeInUse, ask_who_uses, ensure_unused
from core.operations.tasks.journal import Journal, JournalEntry
from core.operations.tasks.task import Control
from core.realms import Realm

DEADLINE = 30.0
"""Seconds that each host has to say which disks its VMs have."""

CLAIM = "claim"
"""Name of the step by which an operation says which drives it is about to use."""


def claim_drives(journal: Journal, entry: JournalEntry, realm: Realm, drives: Sequence[str]) -> None:
    """Say which drives an operation is about to use; to be called under the registry's lock.

    Raises VolumeInUse where another operation under way has claimed one of them.
    """
    if not drives:
        return
    entry.step(CLAIM, realm=realm.id, drives=list(drives))
    for record in journal.records():
        if record.id == entry.id or not record.may_run or record.realm != realm.id:
            continue
        for step in record.all(CLAIM):
            for drive in set(drives) & set(step.get("drives", ())):
                message = f"drive {drive} is being attached to {record.vm} by {record.owner}"
                raise VolumeInUse(message, hint="wait until it has finished")


def refuse_drives_in_use(
    session: Session,
    control: Control,
    realm: Realm,
    hosts: Sequence[Host],
    volumes: Sequence[Volume],
    *,
    but: tuple[str, str] | None = None,
    force: bool = False,
    deadline: float = DEADLINE,
) -> None:
    """Ask all hosts of a realm who has drives. Raises VolumeInUse where an active VM has one, or VolumeUseUnknown.

    Two VMs that write to one drive destroy it for certain, so `force` allows what is unknown, and never what is
    seen (specification, section 9). A disabled host can't be asked: its VMs go on running. What may be the same drive
    is a warning. `but` is the VM that the drives are for, as host and UUID.
    """
    if not volumes:
        return
    uses = ask_who_uses(session, control, realm, hosts, volumes, deadline=deadline, what="drive ", but=but)
    passed = ensure_unused(
        uses.found,
        uses.unasked,
        Allow(off=True, possible=True, unasked=force),
        hint="two VMs that write to one drive destroy it: detach it there first",
        unknown_hint="override with --force if you are sure that no VM there has it",
    )
    for doubt in passed:
        control.warn(doubt)
