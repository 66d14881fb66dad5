"""Whose snapshots there are: of a VM, of a realm, and of VMs that are gone (specification, section 9)."""

import re

from core.driver.connection.jobs import job_connection
from core.driver.vms.snapshots import Snapshot
from core.errors import DriverError, UsageError
from core.operations.hosts.scope import hosts_of, one_realm, realms_of
from core.operations.session import Session
from core.operations.vms.lookup import vm_at_hand
from core.operations.vms.snapshots import SnapshotOwner, snapshots_of
from core.text import printable

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def owner_of_snapshots(session: Session, wanted: str, *, timeout: float, foreign: bool = True) -> SnapshotOwner:
    """Find the VM whose snapshots are meant; for the UUID of one that is gone, any host that sees some of it.

    Raises UsageError, HostUnreachable, VMRefused.
    """
    try:
        at_hand = vm_at_hand(session, wanted, timeout=timeout, foreign=foreign)
    except UsageError:
        if not session.is_live or not _UUID.fullmatch(wanted):
            raise
        gone = _gone(session, wanted, timeout)
        if gone is None:
            raise
        return gone
    return SnapshotOwner(at_hand.vm.name, at_hand.vm.uuid, at_hand.host, at_hand.realm)


def _gone(session: Session, uuid: str, timeout: float) -> SnapshotOwner | None:
    for realm in realms_of(session, None):
        for host in hosts_of(session, realm):
            try:
                with job_connection(host, timeout) as connection:
                    found = snapshots_of(connection, realm, uuid)
            except DriverError:
                continue
            if found:
                return SnapshotOwner(printable(found[0].vm) or uuid, uuid, host, realm)
    return None


def snapshots_of_vm(session: Session, wanted: str, *, timeout: float) -> tuple[Snapshot, ...]:
    """Return the snapshots of a VM, there or gone, the oldest first. Raises UsageError, DriverError."""
    owner = owner_of_snapshots(session, wanted, timeout=timeout)
    with job_connection(owner.host, timeout) as connection:
        return snapshots_of(connection, owner.realm, owner.uuid)


def snapshots_of_realm(session: Session, wanted: str | None, *, timeout: float) -> tuple[Snapshot, ...]:
    """Return all snapshots of a realm, as its first host that answers sees them. Raises UsageError, DriverError."""
    realm = one_realm(session, wanted)
    failures = []
    for host in hosts_of(session, realm):
        try:
            with job_connection(host, timeout) as connection:
                return snapshots_of(connection, realm)
        except DriverError as error:
            failures.append(str(error))
    raise DriverError("", f"no host of realm {realm.id} answers: {'; '.join(failures)}")
