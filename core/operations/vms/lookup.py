"""The VM that an administrator named, with all hosts that might have its disks (specification, section 9)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from core.codes import ErrorCode
from core.errors import RealmsError, UsageError
from core.operations.hosts.scope import hosts_of
from core.operations.vms.target import Target, find_target, refuse_foreign, targets_now

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.fleet.fleet import VM
    from core.hosts import Host
    from core.operations.session import Workplace
    from core.operations.tasks.task import Control
    from core.realms import Realm

P = ParamSpec("P")
T = TypeVar("T")


class VMRefused(RealmsError):
    """What was asked for can't be done to this VM as it is; nothing was changed."""

    code = ErrorCode.VM_REFUSED


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
    return at_hand(workplace, target)


def vm_now(workplace: Workplace, name: str) -> VMAtHand:
    """Return a VM as it was seen last, a foreign one too. Raises UsageError, HostUnreachable, ReadOnly."""
    return at_hand(workplace, targets_now(workplace, [name])[0])


def at_hand(workplace: Workplace, target: Target) -> VMAtHand:
    """Return a VM with all hosts that might have its disks, and those that were seen to run it too."""
    elsewhere = tuple(
        other.name
        for other in workplace.fleet().hosts
        if other.name != target.host.name and any(vm.uuid == target.vm.uuid and vm.active for vm in other.vms)
    )
    return VMAtHand(target, hosts_of(workplace, target.realm), elsewhere)


def on_vm(
    work: Callable[Concatenate[Workplace, Control, VMAtHand, P], T],
) -> Callable[Concatenate[Workplace, str, P], Callable[[Control], T]]:
    """Return a function that makes a job of what deals with a VM; the job finds the VM by its name when it begins."""

    @wraps(work)
    def prepare(workplace: Workplace, name: str, /, *args: P.args, **kwargs: P.kwargs) -> Callable[[Control], T]:
        return lambda control: work(workplace, control, vm_now(workplace, name), *args, **kwargs)

    return prepare
