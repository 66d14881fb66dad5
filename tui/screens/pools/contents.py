"""What lies in a host's pools: bricks, drives, snapshots and boot volumes, with those who use them."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult

from core.driver.storage.volumes import Volume
from core.errors import RealmsError
from core.hosts import Host
from core.operations.storage.host_facts import HostStorage
from core.operations.storage.pool_report import PoolRole
from core.operations.storage.usage import Image, ImagesReport
from core.operations.tasks.task import Control, TaskView
from core.realms import Realm
from tui.commands import Command, bindings
from tui.render.pools.contents import CONTENT_COLUMNS, ContentDetail, ask_deletion, content_rows, doubts_about, refusal
from tui.screens.area import AreaScreen
from tui.widgets.grid import Grid
from tui.widgets.panel import Panel

_MAY_GO = (PoolRole.BRICKS, PoolRole.DRIVES)
_UPLOAD = "upload a brick"


class PoolContentsScreen(AreaScreen):
    """A place within the area of pools. All hosts of the realm are asked, because any might use what lies there."""

    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("u", "upload", "Upload brick", "Upload an image file as a brick.", footer=True, changes=True),
        Command("n", "new_drive", "New drive", "Create an empty drive.", footer=True, changes=True),
        Command("delete,d", "delete", "Delete", "Delete unused bricks or drives.", footer=True,
                changes=True),
        Command("r,f5", "ask_again", "Refresh", "Ask all hosts again.", footer=True),
    )  # fmt: skip
    BINDINGS: ClassVar = bindings(KEYS)
    CSS_PATH = "pools.tcss"

    def __init__(self, host: str, realm: Realm) -> None:
        super().__init__()
        self.host = host
        self.realm = realm
        self.reports: dict[PoolRole, ImagesReport] = {}
        self._told: dict[str, HostStorage] = {}
        self._unasked: dict[str, str] = {}
        self._asked: tuple[Host, ...] = ()
        self._work: list[int] = []

    @property
    def place(self) -> tuple[str, ...]:
        """Within the pools, those of this host."""
        return (self.host,)

    def compose_body(self) -> ComposeResult:
        """Lay out the table and the panel."""
        empty = "The pools are empty. u Upload brick, n New drive."
        yield self.grid(CONTENT_COLUMNS, "pool-contents", heading="Contents", empty=empty)
        yield Panel(id="content")

    def on_mount(self) -> None:
        """Ask all hosts."""
        self.query_one(Grid).focus()
        self.action_ask_again()

    # Asking --------------------------------------------------------------------------------------------------------

    def _hosts(self) -> tuple[Host, ...]:
        fleet = self.realms.fleet
        return tuple(host.host for host in fleet.hosts if host.host.realm == self.realm.id) if fleet is not None else ()

    def action_ask_again(self) -> None:
        """Ask every host of the realm anew; what was seen stays until the answers come."""
        self._asked = self._hosts()
        self._unasked = {host.name: "the host is disabled" for host in self._asked if not host.state.connects}
        self._told = {}
        self.background.close()
        for host in self._asked:
            if host.state.connects:
                self._ask(host)
        self._show_note()

    def _ask(self, host: Host) -> None:
        from core.operations.storage import host_facts, pool_capacity

        job = partial(host_facts.look_at_storage, self.realm, host, pool_capacity.LOOK_SECONDS)
        take = partial(self._take, host.name)
        self.background.ask(host.name, lambda _: job(), take, take)

    def _take(self, host: str, outcome: HostStorage | RealmsError) -> None:
        if isinstance(outcome, RealmsError):
            self._unasked[host] = outcome.bare
        else:
            self._told[host] = outcome
        self._put_together()

    def _put_together(self) -> None:
        from core.operations.storage.host_facts import StorageFacts
        from core.operations.storage.usage import put_together

        if self.host in self._told or not self._awaited():
            told = tuple(self._told[host.name] for host in self._asked if host.name in self._told)
            reasons = dict.fromkeys(self._awaited(), "no answer yet") | self._unasked
            unasked = {host: reasons[host.name] for host in self._asked if host.name in reasons}
            facts = StorageFacts(self.realm.id, told, unasked)
            self.reports = {role: put_together(self.realm, role, self._asked, facts) for role in PoolRole}
            self._show_contents()
        self._show_note()
        if not self._awaited() and self._told:
            counts = {role: len(report.images) for role, report in self.reports.items()}
            self.realms.pool_sight.contents[self.realm.id] = (counts, self.realms.session.clock.now())

    def _awaited(self) -> list[str]:
        return [host.name for host in self._asked if host.name not in self._told and host.name not in self._unasked]

    # What is shown -------------------------------------------------------------------------------------------------

    def _show_contents(self) -> None:
        grid = self.query_one(Grid)
        if self.host in self._unasked and self.host not in self._told:
            grid.fail(self._unasked[self.host])
        else:
            grid.set_rows(content_rows(self.reports, self.host))
        self._show_detail()

    def _show_note(self) -> None:
        progress = self._progress()
        awaited = self._awaited()
        answered = f"{len(self._told)} of {len(self._asked)} hosts answered"
        missing = [name for name in self._unasked if name not in self._told]
        waiting = f", asking {', '.join(awaited[:3])}" if awaited else ""
        lost = f", not asked: {', '.join(missing[:3])}" if missing else ""
        self.query_one(Grid).set_note(progress or f"{answered}{waiting}{lost}")

    def _progress(self) -> str:
        for number in self._work:
            view = self.realms.task_view(number)
            step = next((step for step in reversed(view.steps) if step.ended_at is None), None) if view else None
            if view is not None and view.is_running:
                part = f" {100 * step.fraction:.0f} %" if step is not None and step.fraction is not None else ""
                return f"{view.what} {view.target}{part}"
        return ""

    def show_tasks(self, views: Sequence[TaskView]) -> None:
        """Show how far an upload is."""
        del views
        self._show_note()

    def show_trouble(self, why: str) -> None:
        """Show what was seen anyway."""
        del why

    @on(Grid.Moved)
    def _show_detail(self) -> None:
        panel = self.query_one(Panel)
        found = self._found(self.query_one(Grid).cursor_key)
        panel.display = found is not None
        if found is not None:
            role, image = found
            detail = ContentDetail(role, image, self.reports[role].unasked)
            panel.show(detail.title(), detail.lines)

    def _found(self, key: object) -> tuple[PoolRole, Image] | None:
        if not isinstance(key, tuple):
            return None
        role = PoolRole(key[0])
        report = self.reports.get(role)
        image = report.image(str(key[1])) if report is not None else None
        return None if image is None else (role, image)

    # What is done --------------------------------------------------------------------------------------------------

    def _may_change(self) -> bool:
        session = self.realms.session
        if not session.is_writable:
            self.realms.tell(f"Nothing can be changed: {session.why_not}.", "warning")
        return session.is_writable

    def _through(self) -> list[Host]:
        """Return the hosts to work through, this one first: any that sees the pool will do."""
        return sorted(self._hosts(), key=lambda host: host.name != self.host)

    def action_upload(self) -> None:
        """Ask which file, then upload it in the background."""
        if not self._may_change():
            return
        from tui.screens.pools.image_forms import UploadDialog

        def upload(wanted: tuple[Path, str] | None) -> None:
            if wanted is None:
                return
            path, name = wanted

            def job(control: Control) -> Volume:
                from core.operations.storage.images import upload_brick

                return upload_brick(control, self.realm, hosts, path, name=name)

            hosts = self._through()
            self._work.append(self.realms.run_task(_UPLOAD, name, job, lambda made: self._made("Brick", made)))

        self.app.push_screen(UploadDialog(self._names(PoolRole.BRICKS)), upload)

    def action_new_drive(self) -> None:
        """Ask for its name and size, then create it in the background."""
        if not self._may_change():
            return
        from tui.screens.pools.image_forms import DriveDialog

        def create(wanted: tuple[str, int] | None) -> None:
            if wanted is None:
                return
            name, size = wanted

            def job(control: Control) -> Volume:
                from core.operations.storage.images import create_drive

                return create_drive(control, self.realm, hosts, name, size=size)

            hosts = self._through()
            self._work.append(self.realms.run_task("create a drive", name, job, lambda made: self._made("Drive", made)))

        self.app.push_screen(DriveDialog(self.realm.drives, self._names(PoolRole.DRIVES)), create)

    def _names(self, role: PoolRole) -> frozenset[str]:
        report = self.reports.get(role)
        return frozenset(image.name for image in report.images) if report is not None else frozenset()

    def _made(self, one: str, volume: Volume) -> None:
        self.realms.tell(f"{one} {volume.name} is in pool {volume.pool}.")
        self._after_work()

    def _after_work(self) -> None:
        if self.is_mounted and self.is_attached:
            self.action_ask_again()

    def action_delete(self) -> None:
        """Ask, then delete the chosen bricks or drives that nothing uses."""
        found = [each for key in self.query_one(Grid).chosen() if (each := self._found(key)) is not None]
        if not found or not self._may_change():
            return
        roles = {role for role, _ in found}
        role = found[0][0]
        images = [image for _, image in found]
        if len(roles) > 1:
            self.realms.tell("Select either bricks or drives.", "warning")
        elif role not in _MAY_GO:
            hint = "realms vms delete --volumes" if role is PoolRole.VOLUMES else "realms vms snapshots delete"
            one = "A volume is deleted with its VM" if role is PoolRole.VOLUMES else "Delete snapshots of the VM"
            self.realms.tell(f"{one}: {hint}", "warning")
        elif used := [told for image in images if (told := refusal(role, image))]:
            hint = "Delete dependent images first." if role is PoolRole.BRICKS else "Detach it first."
            self.realms.tell("\n".join(used[:3]), "error", hint=hint)
        else:
            self._ask_deletion(role, images)

    def _ask_deletion(self, role: PoolRole, images: Sequence[Image]) -> None:
        from tui.screens.dialogs.confirm import Confirm

        if awaited := self._awaited():
            self.realms.tell(f"Waiting for {', '.join(awaited)}: try again in a moment.")
            return
        doubts = doubts_about(images, self.reports[role].unasked)

        def answered(wanted: bool | None) -> None:
            if wanted:
                for image in images:
                    self._delete(role, image, force=bool(doubts))
                self.query_one(Grid).clear_marks()

        self.app.push_screen(Confirm(ask_deletion(role, images, doubts)), answered)

    def _delete(self, role: PoolRole, image: Image, *, force: bool) -> None:
        name, agreed = image.name, tuple(map(str, image.uses))
        hosts, realm, one = self._through(), self.realm, role.value.removesuffix("s")
        session = self.realms.session

        def job(control: Control) -> str:
            from core.operations.storage.orphaned_volumes import delete_volume

            delete_volume(session, control, realm, hosts, name=name, role=role, force=force, agreed=agreed)
            return f"{one.capitalize()} {name} deleted."

        def told(sentence: str) -> None:
            self.realms.tell(sentence)
            self._after_work()

        self._work.append(self.realms.run_task(f"delete a {one}", name, job, told))
