"""A VM as it is being ordered: what is typed in the fields, how it is read, and what is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from core.config.model import Configuration
from core.errors import UsageError
from core.fleet.fleet import Fleet
from core.operations.vms.spec import ExistingDrive, NewDrive, Order
from core.placement.engine.request import Request
from core.realms import Realm
from core.text import one_line
from core.units import NotAQuantity, has_unit, parse_size
from tui.forms.host import Fault
from tui.forms.request import FieldKind, FieldRefused, RequestField, read_field, show_exactly

DEVICE = "device-"
"""Begins the key of a field that counts devices; the number of the type follows."""

NO_FILTER = "none"
OVERLAY, COPY = "overlay", "copy"
WAIT, KEEP, GO_ON = "wait", "keep", "go-on"
REFUSE, TAKE = "refuse", "take"
BY_HOST = "auto"

VCPUS = RequestField("vcpus", "vCPUs", FieldKind.NUMBER, "2", 1)
MEMORY = RequestField("memory", "Memory", FieldKind.SIZE, "2 GiB", 1)
_DEVICES = RequestField("devices", "Devices", FieldKind.NUMBER, "0")


@dataclass(slots=True)
class Draft:
    """What was typed last, by field, and the host that was chosen; outlives the form, so that nothing is lost."""

    values: dict[str, str] = field(default_factory=dict)
    host: str | None = None
    """The only host that will do; None: the best."""

    @classmethod
    def begin(cls, configuration: Configuration, request: Request) -> Draft:
        """Begin with a realm that schedules, and with the size that was asked for last."""
        realms = [realm.id for realm in configuration.realms.values() if not realm.disabled]
        virtualization = os.environ.get("REALMS_VIRTUALIZATION", "")
        return cls(
            {
                "realm": realms[0] if realms else "",
                "vcpus": str(request.vcpus),
                "memory": show_exactly(request.memory_bytes),
                "boot": OVERLAY,
                "registration": WAIT,
                "in-use": REFUSE,
                "virtualization": virtualization if virtualization in ("kvm", "qemu") else BY_HOST,
            }
        )


@dataclass(frozen=True, slots=True)
class FormReading:
    """A draft as it was read: the request as soon as its size makes sense, the order once nothing is wrong."""

    faults: Mapping[str, Fault]
    request: Request | None
    order: Order | None


@dataclass(frozen=True, slots=True)
class Known:
    """What the hosts told by now: names of bricks and drives; None where nobody has answered."""

    bricks: Collection[str] | None = None
    drives: Collection[str] | None = None


def device_types(configuration: Configuration) -> tuple[str, ...]:
    """Return every device type that a profile has, in order."""
    return tuple(sorted({kind for each in configuration.hardware_profiles.values() for kind in each.device_types}))


def read_draft(draft: Draft, configuration: Configuration, fleet: Fleet | None, known: Known) -> FormReading:
    """Read all fields; every one that is wrong is named."""
    return _Reader(draft, configuration, fleet, known).read()


def read_drives(text: str) -> tuple[NewDrive | ExistingDrive, ...]:
    """Read drives, separated by commas: a size makes a new one (a bare number is GiB), anything else is a name."""
    from core.operations.vms.spec import ExistingDrive, NewDrive

    drives: list[NewDrive | ExistingDrive] = []
    for part in filter(None, map(str.strip, text.split(","))):
        size = read_size(part)
        drives.append(ExistingDrive(part) if size is None else NewDrive(size))
    return tuple(drives)


def read_size(text: str) -> int | None:
    """Read the size of a drive in bytes, a bare number as GiB; None where it is no size."""
    try:
        return parse_size(text if has_unit(text) else f"{text} GiB")
    except NotAQuantity:
        return None


def _unit_hint(text: str) -> str:
    """Return what unit was meant by one that is written wrong; empty where the text may as well be a name."""
    try:
        parse_size(text.strip())
    except NotAQuantity as error:
        return error.hint if error.is_misspelt else ""
    return ""


class _Reader:
    def __init__(self, draft: Draft, configuration: Configuration, fleet: Fleet | None, known: Known) -> None:
        self._draft = draft
        self._configuration = configuration
        self._fleet = fleet
        self._known = known
        self._faults: dict[str, Fault] = {}
        self._realm: Realm | None = configuration.realms.get(self._text("realm"))

    def read(self) -> FormReading:
        self._check_realm()
        self._check_name()
        self._check_brick()
        drives = self._drives()
        request = self._request(drives)
        refused = any(fault.refused for fault in self._faults.values())
        order = None if request is None or refused else self._order(request, drives)
        return FormReading(self._faults, request, order)

    def _text(self, key: str) -> str:
        return self._draft.values.get(key, "").strip()

    def _check_realm(self) -> None:
        if self._realm is None:
            self._faults["realm"] = Fault("no enabled realm is configured")
        elif self._realm.disabled:
            self._faults["realm"] = Fault("it is disabled")

    def _check_name(self) -> None:
        from core.operations.vms.spec import check_vm_name

        name = self._text("name")
        if not name:
            self._faults["name"] = Fault("a name is required")
            return
        try:
            check_vm_name(name)
        except UsageError as error:
            self._faults["name"] = Fault(error.hint or error.message)
            return
        for snapshot in self._fleet.hosts if self._fleet is not None else ():
            if self._realm is not None and snapshot.host.realm != self._realm.id:
                continue
            if any(vm.name == name for vm in snapshot.vms):
                self._faults["name"] = Fault(f"a VM of that name exists on {snapshot.name}")

    def _check_brick(self) -> None:
        brick, known = self._text("brick"), self._known.bricks
        if not brick:
            self._faults["brick"] = Fault("a boot image is required")
        elif known is not None and not {brick, f"{brick}.qcow2", f"{brick}.img"} & set(known):
            self._faults["brick"] = Fault("no such brick", refused=False)

    def _drives(self) -> tuple[NewDrive | ExistingDrive, ...]:
        from core.operations.storage.images import check_drive_size
        from core.operations.vms.spec import NewDrive

        text = self._text("drives")
        drives = read_drives(text)
        if hint := next(filter(None, map(_unit_hint, text.split(","))), ""):
            self._faults["drives"] = Fault(hint)
            return drives
        names = [drive.name for drive in drives if not isinstance(drive, NewDrive)]
        for drive in drives:
            try:
                if isinstance(drive, NewDrive):
                    if self._realm is not None:
                        check_drive_size(drive.size, self._realm.drives)
                elif names.count(drive.name) > 1:
                    self._faults["drives"] = Fault(f"{drive.name} is listed twice")
                elif self._known.drives is not None and drive.name not in self._known.drives:
                    told = f"{drive.name} is neither a size nor a known drive"
                    self._faults.setdefault("drives", Fault(told, refused=False))
            except UsageError as error:
                self._faults["drives"] = Fault(str(error))
        return drives

    def _number(self, key: str, spec: RequestField) -> int:
        try:
            value = read_field(spec, self._draft.values.get(key, spec.start))
        except FieldRefused as error:
            self._faults[key] = Fault(error.what)
            return 0
        return value if isinstance(value, int) else 0

    def _request(self, drives: Sequence[NewDrive | ExistingDrive]) -> Request | None:
        from core.driver.vms.domain_build import round_memory

        vcpus, memory = self._number("vcpus", VCPUS), self._number("memory", MEMORY)
        devices = {
            kind: self._number(f"{DEVICE}{number}", _DEVICES)
            for number, kind in enumerate(device_types(self._configuration))
        }
        if not vcpus or not memory or self._realm is None:
            return None
        try:
            return Request(vcpus, round_memory(memory), devices, self._realm.id, bool(drives))
        except UsageError as error:
            self._faults["memory"] = Fault(str(error))
            return None

    def _order(self, request: Request, drives: tuple[NewDrive | ExistingDrive, ...]) -> Order | None:
        from core.driver.vms.domain_kind import Virtualization
        from core.operations.vms.spec import REALM_S_FILTER, Order, check_order

        if self._realm is None:
            return None
        virtualization = self._text("virtualization")
        typed = self._text("filter")
        order = Order(
            name=self._text("name"),
            brick=self._text("brick"),
            vcpus=request.vcpus,
            memory_bytes=request.memory_bytes,
            devices=request.devices,
            realm=self._realm.id,
            host=self._draft.host,
            drives=drives,
            full_copy=self._text("boot") == COPY,
            network_filter={"": REALM_S_FILTER, NO_FILTER: None}.get(typed, typed),
            virtualization=Virtualization(virtualization) if virtualization in ("kvm", "qemu") else None,
            keep=self._text("registration") == KEEP,
            wait=self._text("registration") != GO_ON,
            force=self._text("in-use") == TAKE,
        )
        try:
            check_order(order, self._realm)
        except UsageError as error:
            self._faults["name"] = Fault(one_line(str(error)))
            return None
        return order
