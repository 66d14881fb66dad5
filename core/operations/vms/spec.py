"""What an administrator orders: a VM, with all that can be wrong about it checked before any host is asked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from core.costs import NO_DEVICES
from core.driver.vms.domain_build import round_memory
from core.driver.vms.domain_kind import Virtualization
from core.errors import UsageError
from core.operations.storage.images import check_drive_size
from core.placement.engine.request import Request
from core.realms import Realm
from core.text import printable

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

REALM_S_FILTER = ""
"""As the network filter of an order: the realm's default."""


@dataclass(frozen=True, slots=True)
class NewDrive:
    """A drive to be made; `size` in bytes."""

    size: int


@dataclass(frozen=True, slots=True)
class ExistingDrive:
    """A drive that is in the realm's drives pool already."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A VM to be created."""

    name: str
    brick: str
    vcpus: int
    memory_bytes: int
    devices: Mapping[str, int] = field(default_factory=lambda: NO_DEVICES)
    realm: str
    """Id of the realm."""
    host: str | None = None
    """The only host that will do; it is still judged."""
    drives: tuple[NewDrive | ExistingDrive, ...] = ()
    full_copy: bool = False
    """Whether the boot volume is a copy of the brick, and no overlay of it."""
    network_filter: str | None = REALM_S_FILTER
    """Name of a libvirt network filter; None for none."""
    virtualization: Virtualization | None = None
    """None: with KVM where the host has it."""
    keep: bool = False
    """Whether a VM that does not register is stopped but not removed."""
    wait: bool = True
    """Whether it is waited for its registration."""
    force: bool = False
    """Whether drives are taken that another VM has, or may have."""

    def request(self) -> Request:
        """Return what is asked of a host."""
        devices = MappingProxyType(dict(self.devices))
        return Request(self.vcpus, round_memory(self.memory_bytes), devices, self.realm, bool(self.drives))

    def filter_in(self, realm: Realm) -> str | None:
        """Return the network filter of the VM's interface."""
        return realm.network_filter if self.network_filter == REALM_S_FILTER else self.network_filter


def check_order(order: Order, realm: Realm) -> None:
    """Refuse an order that no host could carry out; raises UsageError."""
    check_vm_name(order.name)
    order.request()
    if realm.disabled:
        raise UsageError(f"realm {realm.id!r} is disabled: no VMs are scheduled there")
    existing = [drive.name for drive in order.drives if isinstance(drive, ExistingDrive)]
    for name in existing:
        if existing.count(name) > 1:
            raise UsageError(f"drive {printable(name)} is given twice")
    for drive in order.drives:
        if isinstance(drive, NewDrive):
            check_drive_size(drive.size, realm.drives)


def check_vm_name(name: str) -> str:
    """Accept a name for a new VM; raises UsageError with the rule that it breaks."""
    if not _NAME.fullmatch(name):
        hint = "use 1 to 64 letters, digits, dots, dashes, underscores and pluses; start with a letter or digit"
        raise UsageError(f"{printable(name)!r} is not a valid VM name", hint=hint)
    if _UUID.fullmatch(name):
        raise UsageError(f"{name!r} looks like a UUID, which would name another VM", hint="choose another name")
    return name
