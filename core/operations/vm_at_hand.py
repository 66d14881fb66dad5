"""The VM that an administrator named, with its host and realm, where it may be changed (specification, section 9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import HostUnreachable, RealmsError, UsageError
from core.fleet import Connection
from core.operations.on_hosts import hosts_of
from core.operations.selection import find_vm
from core.text import printable

if TYPE_CHECKING:
    from core.fleet import VM
    from core.hosts import Host
    from core.operations.workplace import Workplace
    from core.realms import Realm


class VMRefused(RealmsError):
    """What was asked for can't be done to this VM as it is; nothing was changed."""


@dataclass(frozen=True, slots=True)
class VMAtHand:
    """A VM on a host that answers. `hosts` are all of its realm, disabled ones too: each might have its disks."""

    vm: VM
    host: Host
    realm: Realm
    hosts: tuple[Host, ...]
    elsewhere: tuple[str, ...] = ()
    """Other hosts that were seen to run the same UUID."""


def vm_at_hand(workplace: Workplace, wanted: str, *, timeout: float, foreign: bool = True) -> VMAtHand:
    """Find a VM by NAME, HOST/NAME or UUID, waiting for the hosts up to `timeout` seconds.

    Raises UsageError where it is not found, HostUnreachable where its host does not answer now, and VMRefused for a VM
    that is not the realm's own, unless `foreign` ones are accepted.
    """
    if not workplace.is_live:
        raise UsageError("a saved fleet has no VMs that could be asked", hint="leave out --fleet")
    fleet = workplace.settled_fleet(timeout)
    snapshot, vm = find_vm(fleet, wanted)
    host = snapshot.host
    realm = workplace.configuration.realms.get(host.realm)
    if realm is None or realm.disabled:
        raise UsageError(f"realm {host.realm!r} of host {host.name} is {'disabled' if realm else 'not configured'}")
    if snapshot.connection is not Connection.CONNECTED:
        message = f"it does not answer, and {printable(vm.name)} was last seen there"
        raise HostUnreachable(host.name, message, hint=snapshot.error)
    if not vm.managed and not foreign:
        message = f"{printable(vm.name)} on {host.name} was not made by the realm"
        raise VMRefused(message, hint="nothing was changed; --foreign changes it all the same")
    elsewhere = tuple(
        other.name
        for other in fleet.hosts
        if other.name != host.name and any(each.uuid == vm.uuid and each.active for each in other.vms)
    )
    return VMAtHand(vm, host, realm, hosts_of(workplace, realm), elsewhere)
