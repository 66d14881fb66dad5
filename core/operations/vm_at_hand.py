"""The VM that an administrator named, with all hosts that might have its disks (specification, section 9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import RealmsError, UsageError
from core.operations.on_hosts import hosts_of
from core.operations.vm_targets import Target, find_target, refuse_foreign

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

    target: Target
    hosts: tuple[Host, ...]
    elsewhere: tuple[str, ...] = ()
    """Other hosts that were seen to run the same UUID."""

    @property
    def vm(self) -> VM:
        """The VM as last seen."""
        return self.target.vm

    @property
    def host(self) -> Host:
        """The host that has it."""
        return self.target.host

    @property
    def realm(self) -> Realm:
        """The realm of that host."""
        return self.target.realm


def vm_at_hand(workplace: Workplace, wanted: str, *, timeout: float, foreign: bool = True) -> VMAtHand:
    """Find a VM by NAME, HOST/NAME or UUID, waiting for the hosts up to `timeout` seconds.

    Raises UsageError where it is not found, HostUnreachable where its host does not answer now, and ForeignVM for a VM
    that is not the realm's own, unless `foreign` ones are accepted.
    """
    if not workplace.is_live:
        raise UsageError("a saved fleet has no VMs that could be asked", hint="leave out --fleet")
    fleet = workplace.settled_fleet(timeout)
    target = find_target(workplace, fleet, wanted)
    if not foreign:
        refuse_foreign(target)
    elsewhere = tuple(
        other.name
        for other in fleet.hosts
        if other.name != target.host.name and any(each.uuid == target.vm.uuid and each.active for each in other.vms)
    )
    return VMAtHand(target, hosts_of(workplace, target.realm), elsewhere)
