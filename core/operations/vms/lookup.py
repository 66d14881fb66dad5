"""The VM that an administrator named, with all hosts that might have its disks (specification, section 9)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from core.codes import ErrorCode
from core.errors import RealmsError, UsageError
from core.fleet.fleet import VM
from core.hosts import Host
from core.operations.hosts.scope import hosts_of
from core.operations.session import Session
from core.operations.tasks.task import Control
from core.operations.vms.target import Target, find_target, refuse_foreign, targets_now
from core.realms import Realm

P = ParamSpec("P")
T = TypeVar("T")


class VMRefused(RealmsError):
    """What was asked for can't be done to this VM as it is; nothing was changed."""

    code = ErrorCode.VM_REFUSED


@dataclass(frozen=True, slots=True)
class ResolvedVM:
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


def vm_at_hand(session: Session, wanted: str, *, timeout: float, foreign: bool = True) -> ResolvedVM:
    """Find a VM by NAME, HOST/NAME or UUID, waiting for the hosts up to `timeout` seconds.

    Raises UsageError where it is not found, HostUnreachable where its host does not answer now, and ForeignVM for a VM
    that is not the realm's own, unless `foreign` ones are accepted.
    """
    if not session.is_live:
        raise UsageError("a saved fleet has no VMs to ask", hint="leave out --fleet")
    fleet = session.settled_fleet(timeout)
    target = find_target(session, fleet, wanted)
    if not foreign:
        refuse_foreign(target)
    return resolve_vm(session, target)


def vm_now(session: Session, name: str) -> ResolvedVM:
    """Return a VM as it was seen last, a foreign one too. Raises UsageError, HostUnreachable, ReadOnly."""
    return resolve_vm(session, targets_now(session, [name])[0])


def resolve_vm(session: Session, target: Target) -> ResolvedVM:
    """Return a VM with all hosts that might have its disks, and those that were seen to run it too."""
    elsewhere = tuple(
        other.name
        for other in session.fleet().hosts
        if other.name != target.host.name and any(vm.uuid == target.vm.uuid and vm.active for vm in other.vms)
    )
    return ResolvedVM(target, hosts_of(session, target.realm), elsewhere)


def on_vm(
    work: Callable[Concatenate[Session, Control, ResolvedVM, P], T],
) -> Callable[Concatenate[Session, str, P], Callable[[Control], T]]:
    """Return a function that makes a job of what deals with a VM; the job finds the VM by its name when it begins."""

    @wraps(work)
    def prepare(session: Session, name: str, /, *args: P.args, **kwargs: P.kwargs) -> Callable[[Control], T]:
        return lambda control: work(session, control, vm_now(session, name), *args, **kwargs)

    return prepare
