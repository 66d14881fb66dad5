"""The snapshots of a VM: taken, gone back to, deleted."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from textual import on
from textual.app import App
from textual.binding import Binding

from core.driver.vms.snapshots import Snapshot
from core.fleet.fleet import VM
from core.operations.tasks.task import Control
from core.operations.vms.queries import vm_snapshots
from tui.context import context_of
from tui.forms.fields import YES, FormField
from tui.jobs.vm_disks import delete_snapshot_job, restore_job, snapshot_job
from tui.render.rows import Column
from tui.render.vms.disks import SNAPSHOT_COLUMNS, ask_delete_snapshot, ask_restore, ask_snapshot, snapshot_rows
from tui.render.vms.fields import check_snapshot
from tui.screens.dialogs.confirm import Confirm
from tui.screens.dialogs.form import VMForm
from tui.screens.vms.listing import RunOn, VMListing
from tui.widgets.grid import Grid


def ask_for_snapshot(app: App[Any], vms: Sequence[VM], run_on: RunOn, then: Callable[[], None] | None = None) -> None:
    """Ask for the name of a snapshot, then take it of each VM, as a task."""
    fields = [
        FormField(key="name", label="Name", hint="time, e.g. 20260131T120000Z"),
        FormField(key="freeze", tick="quiesce file systems (guest agent)", value=YES),
    ]
    if len(vms) == 1:
        fields.insert(1, FormField(key="disks", label="Disks", hint="all; or e.g. vda vdc"))

    def answered(values: dict[str, str] | None) -> None:
        if values is None:
            return
        names = [f"{vm.host}/{vm.uuid}" for vm in vms]
        targets = values.get("disks", "").replace(",", " ").split()
        freeze = values["freeze"] == YES
        session = context_of(app).session
        job = snapshot_job(session, names, values["name"].strip(), targets=targets, freeze=freeze)
        run_on("snapshot", vms, job)
        if then is not None:
            then()

    app.push_screen(VMForm(ask_snapshot(vms), fields, check_snapshot), answered)


class SnapshotList(VMListing):
    """A VM's snapshots, the newest first."""

    BINDINGS: ClassVar = [
        Binding("n", "take", "Take"),
        Binding("r", "restore", "Restore"),
        Binding("delete", "delete", "Delete"),
    ]
    BUTTONS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("take", "n Take"),
        ("restore", "r Restore"),
        ("delete", "Del Delete"),
    )
    COLUMNS: ClassVar[tuple[Column, ...]] = SNAPSHOT_COLUMNS
    title_words = "Snapshots"
    empty = "No snapshots. n takes one."

    snapshots: tuple[Snapshot, ...] = ()

    def question(self) -> Callable[[Control], Any]:
        """Ask for the snapshots."""
        return vm_snapshots(self.session, self.vm_name)

    def show(self, found: tuple[Snapshot, ...]) -> None:
        """List them."""
        self.snapshots = found
        self.query_one(Grid).set_rows(snapshot_rows(found, self.session.clock.now()))

    def _chosen(self) -> Snapshot | None:
        key = self.query_one(Grid).cursor_key
        return next((snapshot for snapshot in self.snapshots if snapshot.name == key), None)

    def action_take(self) -> None:
        """Take another one."""

        def close() -> None:
            self.dismiss(None)

        ask_for_snapshot(self.app, [self.vm], self.run_on, close)

    @on(Grid.Chosen)
    def action_restore(self) -> None:
        """Ask, then go back to the snapshot under the cursor."""
        snapshot = self._chosen()
        if snapshot is None:
            return
        if not snapshot.complete:
            self.realms.tell(f"{snapshot.name} is incomplete: it can only be deleted.", "warning")
            return
        fields = [FormField(key="start", tick="start the VM afterwards")]
        if self.vm.active:
            fields.insert(0, FormField(key="cut", tick="power off first (a running VM cannot be restored)"))

        def answered(values: dict[str, str] | None) -> None:
            if values is not None:
                cut, start = values.get("cut") == YES, values["start"] == YES
                job = restore_job(self.session, self.vm_name, snapshot.name, cut_power=cut, start=start)
                self.run("restore", job)

        self.app.push_screen(VMForm(ask_restore(self.vm, snapshot), fields), answered)

    def action_delete(self) -> None:
        """Ask, then delete the snapshot under the cursor."""
        snapshot = self._chosen()
        if snapshot is None:
            return

        def answered(wanted: bool | None) -> None:
            if wanted:
                job = delete_snapshot_job(self.session, self.vm_name, snapshot.name)
                self.run("delete snapshot", job, stay=True)

        self.app.push_screen(Confirm(ask_delete_snapshot(self.vm, snapshot)), answered)
