"""The drives of a VM: attached, made and attached, detached."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from textual.binding import Binding

from core.operations.tasks.task import Control
from core.operations.vms.queries import VMDrives, Volumes, drive_users, vm_drives
from core.realms import Realm
from core.text import one_line
from tui.forms.fields import YES, FormField
from tui.forms.host import Fault
from tui.forms.vm_spec import read_size
from tui.jobs.vm_disks import attach_job, detach_job
from tui.render.cells import Tone
from tui.render.rows import Column
from tui.render.vms.disks import DISK_COLUMNS, ask_attach, ask_detach, ask_new_drive, disk_name, disk_rows, is_drive
from tui.render.vms.fields import check_new_drive
from tui.screens.dialogs.confirm import Confirm
from tui.screens.dialogs.form import VMForm
from tui.screens.dialogs.picker import VolumePicker
from tui.screens.vms.listing import VMListing
from tui.widgets.grid import Grid


class DriveList(VMListing):
    """A VM's disks, drives among them; only drives are attached and detached."""

    BINDINGS: ClassVar = [
        Binding("a", "attach", "Attach"),
        Binding("n", "make", "New"),
        Binding("delete", "detach", "Detach"),
    ]
    BUTTONS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("attach", "a Attach"),
        ("make", "n New drive"),
        ("detach", "Del Detach"),
    )
    COLUMNS: ClassVar[tuple[Column, ...]] = DISK_COLUMNS
    title_words = "Drives"
    empty = "No disks."

    found: VMDrives | None = None
    """What the host told; None until it has."""

    def question(self) -> Callable[[Control], Any]:
        """Ask for the disks, and the drives of the realm."""
        return vm_drives(self.session, self.vm_name)

    def show(self, found: VMDrives) -> None:
        """List the disks; then ask who has the other drives."""
        self.found = found
        self.query_one(Grid).set_rows(disk_rows(found))
        if self._realm is not None:
            self.ask_more("users", drive_users(self.session, self._realm, found), self._learn_users)

    @property
    def _realm(self) -> Realm | None:
        snapshot = self.realms.fleet.host(self.vm.host) if self.realms.fleet is not None else None
        return self.session.configuration.realms.get(snapshot.host.realm) if snapshot is not None else None

    def _learn_users(self, found: VMDrives) -> None:
        self.found = found
        free = sum(name not in found.users for name in self._names(found))
        number = len(self._names(found))
        told = f"{free} of {number} drives in {found.pool} unattached" if number else f"no drives in {found.pool}"
        trouble = ((f"; not checked: {one_line(found.unasked, 200)}", Tone.WARN),) if found.unasked else ()
        self.remark([((told, Tone.MUTED), *trouble)])

    def _names(self, found: VMDrives) -> tuple[str, ...]:
        return Volumes(self.vm.host, found.pool, found.drives).names

    def action_attach(self) -> None:
        """Choose a drive that there is, then attach it."""
        found = self.found
        if found is None:
            self.realms.tell(f"Drives of {self.vm.host} are still loading.", "warning")
            return
        mine = {disk_name(disk) for disk in (*found.disks.present, *found.disks.stored) if is_drive(disk, found)}
        names = [name for name in self._names(found) if name not in mine]

        def chosen(name: str | None) -> None:
            if name is not None:
                self._offer(name)

        title = f"Drives in {found.pool} (seen from {self.vm.host})"
        self.app.push_screen(VolumePicker(title, found.drives, names, found.users), chosen)

    def _offer(self, drive: str) -> None:
        found = self.found
        users, unasked = (found.users.get(drive, ()), found.unasked) if found is not None else ((), "")
        force = FormField(key="force", tick="also if a host that may use it does not answer")

        def answered(values: dict[str, str] | None) -> None:
            if values is not None:
                job = attach_job(self.session, self.vm_name, drive, force=values["force"] == YES)
                self.run(f"attach {drive} to", job, stay=True)

        self.app.push_screen(VMForm(ask_attach(self.vm, drive, users, unasked), [force]), answered)

    def action_make(self) -> None:
        """Ask for a name and a size, then make a drive and attach it."""
        found, realm = self.found, self._realm
        if found is None or realm is None:
            self.realms.tell(f"Drives of {self.vm.host} are still loading.", "warning")
            return
        taken = self._names(found)
        fields = [
            FormField(key="name", label="Name", value=_free_name(self.vm.name, taken)),
            FormField(key="size", label="Size", hint="e.g. 100 GiB; GiB by default"),
        ]

        def check(values: Mapping[str, str]) -> Mapping[str, Fault]:
            return check_new_drive(values, realm.drives, taken)

        def answered(values: dict[str, str] | None) -> None:
            if values is not None:
                name = values["name"].strip()
                job = attach_job(self.session, self.vm_name, name, size=read_size(values["size"]))
                self.run(f"attach {name} to", job, stay=True)

        self.app.push_screen(VMForm(ask_new_drive(self.vm), fields, check), answered)

    def action_detach(self) -> None:
        """Ask, then detach the drive under the cursor."""
        found, target = self.found, self.query_one(Grid).cursor_key
        disks = (*found.disks.present, *found.disks.stored) if found is not None else ()
        disk = next((disk for disk in disks if disk.target == target), None)
        if found is None or disk is None:
            return
        if not is_drive(disk, found):
            self.realms.tell(f"{disk.target} is not in the drives pool: only drives can be detached.", "warning")
            return

        def answered(wanted: bool | None) -> None:
            if wanted:
                job = detach_job(self.session, self.vm_name, disk.target)
                self.run(f"detach {disk_name(disk)} from", job, stay=True)

        self.app.push_screen(Confirm(ask_detach(self.vm, disk)), answered)


def _free_name(vm: str, taken: tuple[str, ...]) -> str:
    """Propose a name that tells whose the drive is, where the VM's own name can begin one."""
    stem = "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in vm).strip("-.")[:100] or "vm"
    return next(name for number in range(1, 10_000) if (name := f"{stem}-drive{number}.qcow2") not in taken)
