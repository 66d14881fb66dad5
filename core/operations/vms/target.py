"""The VMs that an administrator names, and whether this program may change them (specification, section 9)."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.codes import ErrorCode
from core.errors import HostUnreachable, RealmsError, UsageError
from core.fleet.fleet import VM, Connection, Fleet
from core.hosts import Host
from core.operations.selection import find_vm, finds
from core.operations.session import Session
from core.realms import Realm


class ForeignVM(RealmsError):
    """The VM is not of this realm, and it was not said that such ones may be changed."""

    code = ErrorCode.FOREIGN_VM


@dataclass(frozen=True, slots=True)
class Target:
    """A VM as last seen, with its host and its realm."""

    vm: VM
    host: Host
    realm: Realm

    @property
    def name(self) -> str:
        """The VM as HOST/NAME."""
        return f"{self.host.name}/{self.vm.name}"


def find_targets(session: Session, wanted: Sequence[str], *, foreign: bool, timeout: float) -> tuple[Target, ...]:
    """Find the VMs that are named, each once, after waiting for hosts that have not answered yet.

    Raises UsageError for a name that fits none or several, HostUnreachable for a host that does not answer, ForeignVM
    unless `foreign` allows them.
    """
    session.require_writable()
    fleet = session.settled_fleet(timeout, enough=lambda fleet: all(finds(name, fleet) for name in wanted))
    targets = {target.vm.key: target for target in (find_target(session, fleet, name) for name in wanted)}
    for target in targets.values():
        if not foreign:
            refuse_foreign(target)
    return tuple(targets.values())


def targets_now(session: Session, names: Sequence[str]) -> tuple[Target, ...]:
    """Return the VMs of these names as they were seen last, foreign ones too, without waiting for hosts.

    Raises UsageError, HostUnreachable, ReadOnly.
    """
    session.require_writable()
    fleet = session.fleet()
    return tuple(find_target(session, fleet, name) for name in names)


def find_target(session: Session, fleet: Fleet, wanted: str) -> Target:
    """Find one VM; raises UsageError, HostUnreachable."""
    snapshot, vm = find_vm(fleet, wanted)
    if snapshot.connection is not Connection.CONNECTED:
        message = f"it is unreachable{f': {snapshot.error}' if snapshot.error else ''}"
        raise HostUnreachable(snapshot.name, message, hint="the state of the VM is unknown")
    realm = session.configuration.realms.get(snapshot.host.realm)
    if realm is None:
        raise UsageError(f"realm {snapshot.host.realm!r} of host {snapshot.name} is not configured")
    return Target(vm, snapshot.host, realm)


def refuse_foreign(target: Target) -> None:
    """Raise ForeignVM for a VM that the realm did not create."""
    if not target.vm.managed:
        message = f"{target.name} is foreign: realm {target.realm.id} did not create it"
        raise ForeignVM(message, hint="override with --foreign if you are sure")
