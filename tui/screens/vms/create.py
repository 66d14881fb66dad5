"""The order of a VM: its fields, and beside them what placement says of each host while they are written."""

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Static

from core.config.model import Configuration
from core.errors import RealmsError
from core.fleet.fleet import Fleet
from core.operations.storage.pool_report import PoolRole
from core.operations.vms.queries import Volumes, realm_volumes
from core.placement.engine.engine import rank
from core.placement.engine.request import Request
from core.placement.engine.verdicts import Verdict
from core.text import one_line
from tui.commands import Command, bindings
from tui.forms.vm_spec import Draft, FormReading, Known, read_draft
from tui.jobs.vms import create_job
from tui.render.vms.create import headline, order_fields
from tui.render.vms.host_ranking import RankedHosts, host_lines
from tui.render.wrapping import wrapped
from tui.screens.area import AreaScreen
from tui.screens.vms.host_table import HostChoice
from tui.widgets.fields import FieldRow
from tui.widgets.grid import Grid
from tui.widgets.tones import paragraphs

AT_ONCE = 100
"""Hosts that are judged between two keys; more are left to a thread."""

_NARROW = 110
_HEADLINE = 2

_ROLES = {"brick": PoolRole.BRICKS, "drives": PoolRole.DRIVES}


class CreateVM(AreaScreen):
    """A place within the area of VMs. What was typed stays in the draft, whatever becomes of this screen."""

    CSS_PATH = "create.tcss"
    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("ctrl+s", "create", "Create", "Create the VM, as a task.", footer=True, changes=True),
        Command("f2", "choose", "Choose", "List available bricks or drives.", footer=True, shown="F2"),
        Command("f3", "hosts", "Hosts", "Switch to the hosts and back; Enter selects.", footer=True, shown="F3"),
        Command("f5", "look_again", "Reload", "Reload bricks and drives."),
        Command("up", "neighbour(-1)", "Field above", "To the field above.", palette=False),
        Command("down", "neighbour(1)", "Field below", "To the field below.", palette=False),
    )
    BINDINGS: ClassVar = bindings(KEYS)

    def __init__(self, draft: Draft, ordered: Callable[[str], object]) -> None:
        """Make the form; `ordered` gets the name of the VM that is to be created."""
        super().__init__()
        self._draft = draft
        self._ordered = ordered
        self._touched = {key for key, value in draft.values.items() if key in ("name", "brick", "drives") and value}
        self.known = Known()
        self._volumes: dict[str, Volumes] = {}
        self._troubles: dict[str, str] = {}
        self.reading: FormReading | None = None
        self.verdicts: tuple[Verdict, ...] = ()
        self._judged: tuple[object, ...] = ()

    @property
    def place(self) -> tuple[str, ...]:
        """Within the VMs, a new one."""
        return ("New VM",)

    # Layout --------------------------------------------------------------------------------------------------------

    def compose_body(self) -> ComposeResult:
        """Lay out the fields, and the hosts beside or below them."""
        with Horizontal(id="order"):
            with VerticalScroll(id="fields", can_focus=False) as fields:
                fields.border_title = "New VM"
                for field in order_fields(self.realms.session.configuration, self._draft):
                    yield FieldRow(field)
                with Horizontal(classes="buttons"):
                    yield Button("Create", id="create", compact=True)
            with Vertical(id="answer"):
                yield Static(id="headline", markup=False)
                yield HostChoice("Hosts", id="hosts-for-order")
                yield Static(id="about", markup=False)

    def on_mount(self) -> None:
        """Begin at the first field that is empty, and ask for what there is."""
        self._look_at_realm()
        wanted = next((key for key in ("name", "brick") if not self._draft.values.get(key)), "name")
        self._row(wanted).edit()

    def on_resize(self, event: events.Resize) -> None:
        """Put the hosts beside the fields, or below them."""
        self.set_class(event.size.width < _NARROW, "-narrow")
        self.call_after_refresh(self._say)

    def _row(self, key: str) -> FieldRow:
        return self.query_one(f"#field-{key}", FieldRow)

    # What there is -------------------------------------------------------------------------------------------------

    def _look_at_realm(self) -> None:
        realm = self.realms.session.configuration.realms.get(self._draft.values.get("realm", ""))
        self.known, self._volumes, self._troubles = Known(), {}, {}
        if realm is None or realm.disabled:
            return
        for key, role in _ROLES.items():
            job = realm_volumes(self.realms.session, realm, role)
            self.background.ask(key, job, partial(self._learn, key), partial(self._fail_to_learn, key))

    def _learn(self, key: str, found: Volumes) -> None:
        self._volumes[key] = found
        self._row(key).propose(found.names)
        bricks, drives = (self._volumes.get(each) for each in ("brick", "drives"))
        self.known = Known(
            None if bricks is None else frozenset(bricks.names), None if drives is None else frozenset(drives.names)
        )
        if key == "brick" and len(found.names) == 1 and not self._draft.values.get("brick"):
            self._row("brick").write(found.names[0])
        self._read()

    def _fail_to_learn(self, key: str, error: RealmsError) -> None:
        self._troubles[key] = str(error)
        self._read()

    def action_look_again(self) -> None:
        """Ask again for bricks and drives."""
        self._look_at_realm()
        self._read()

    # Fields --------------------------------------------------------------------------------------------------------

    @on(FieldRow.Changed)
    def take_over(self, event: FieldRow.Changed) -> None:
        """Read all fields again, and judge the hosts for what they say."""
        key = event.row.field.key
        self._draft.values[key] = event.row.value
        self._touched.add(key)
        if key == "realm":
            self._draft.host = None
            self._look_at_realm()
        self._read()

    @on(FieldRow.Submitted)
    def go_on(self) -> None:
        """Go to the next field on Enter."""
        self.focus_next()

    def action_neighbour(self, direction: int) -> None:
        """Go to the field above or below."""
        if direction > 0:
            self.focus_next()
        else:
            self.focus_previous()

    def _read(self) -> None:
        configuration = self.realms.session.configuration
        self.reading = read_draft(self._draft, configuration, self.realms.fleet, self.known)
        self._complain()
        self._judge()

    def _complain(self) -> None:
        faults = self.reading.faults if self.reading is not None else {}
        for row in self.query(FieldRow):
            key = row.field.key
            fault = faults.get(key) if key in self._touched else None
            if fault is not None:
                row.complain(fault.text, warning=not fault.refused)
            elif key in self._troubles:
                row.complain(f"list unavailable: {one_line(self._troubles[key], 200)}", warning=True)
            else:
                row.complain("")

    # Hosts ---------------------------------------------------------------------------------------------------------

    def show_fleet(self, fleet: Fleet) -> None:
        """Judge the hosts as they are now."""
        del fleet
        self._read()

    def _judge(self) -> None:
        fleet, request = self.realms.fleet, self.reading.request if self.reading is not None else None
        if fleet is None or request is None:
            self._show()
            return
        configuration = self.realms.session.configuration
        asked = (fleet, request, configuration)
        if asked == self._judged:
            self._show()
            return
        self._judged = asked
        if len(fleet.hosts) <= AT_ONCE:
            self.background.forget("rank")
            self._rank(rank(configuration, fleet, request))
        else:
            self.background.ask("rank", _ranking(configuration, fleet, request), self._rank, self._fail_to_rank)

    def _rank(self, verdicts: tuple[Verdict, ...]) -> None:
        self.verdicts = verdicts
        self._show()

    def _fail_to_rank(self, error: RealmsError) -> None:
        self.query_one(HostChoice).fail(str(error))

    @property
    def choice(self) -> RankedHosts:
        """The hosts, and which of them is wanted."""
        return RankedHosts(self.verdicts, self._draft.host)

    def _show(self) -> None:
        self.query_one(HostChoice).show_choice(self.choice)
        self._say()

    def _say(self) -> None:
        width = max(20, self.query_one("#answer").size.width - 4)
        hosts, choice = self.query_one(HostChoice), self.choice
        about = host_lines(choice, hosts.host_under_cursor)
        narrow = self.has_class("-narrow")
        sentence, tone = headline(choice, self.reading)
        if narrow and hosts.has_focus and hosts.host_under_cursor is not None and len(about) > 1:
            sentence, tone = f"{hosts.host_under_cursor}: {''.join(text for text, _ in about[1])}", ""
        told = Content("\n".join(wrapped(sentence, width, _HEADLINE)))
        self.query_one("#headline", Static).update(told.stylize(tone) if tone else told)
        hosts.styles.height = None if narrow else len(choice.verdicts) + 4
        self.query_one("#about", Static).update(paragraphs(about))

    @on(Grid.Moved)
    def look_at_host(self) -> None:
        """Say all about the host under the cursor."""
        self._say()

    @on(Grid.Chosen)
    def take_host(self, event: Grid.Chosen) -> None:
        """Take the host of the row and no other; chosen again, or the first row, leaves it to placement."""
        host = str(event.key) or None
        self._draft.host = None if host == self._draft.host else host
        self._read()

    def action_hosts(self) -> None:
        """Go to the hosts, or back to the fields."""
        hosts = self.query_one(HostChoice)
        if hosts.has_focus:
            self._row("name").edit()
        else:
            hosts.focus()

    # Choose and create ---------------------------------------------------------------------------------------------

    def action_choose(self) -> None:
        """List what there is for the field that is edited: drives for drives, bricks otherwise."""
        from tui.screens.dialogs.picker import VolumePicker

        focused = self.focused
        row = next((each for each in focused.ancestors if isinstance(each, FieldRow)), None) if focused else None
        key = "drives" if row is not None and row.field.key == "drives" else "brick"
        found = self._volumes.get(key)
        if found is None:
            trouble = self._troubles.get(key)
            self.realms.tell(trouble or f"Still loading {_ROLES[key].value}.", "warning")
            return

        def chosen(name: str | None) -> None:
            if name is not None:
                typed = self._draft.values.get(key, "").strip().rstrip(",")
                self._row(key).write(f"{typed}, {name}" if key == "drives" and typed else name)
            self._row(key).edit()

        title = f"{_ROLES[key].value.capitalize()} in {found.pool} (seen from {found.host})"
        self.app.push_screen(VolumePicker(title, found.volumes, found.names), chosen)

    @on(Button.Pressed, "#create")
    def action_create(self) -> None:
        """Order the VM, once nothing is wrong with it."""
        if not self.realms.session.is_writable:
            self.realms.tell(f"Nothing can be changed: {self.realms.session.why_not}.", "warning")
            return
        self._touched |= {row.field.key for row in self.query(FieldRow)}
        self._read()
        reading = self.reading
        if reading is None or reading.order is None:
            self._go_to_fault()
            return
        if self.choice.taken is None:
            self.realms.tell(headline(self.choice, reading)[0], "warning")
            self.query_one(HostChoice).focus()
            return
        order = reading.order
        self.realms.request = order.request()
        self._draft.values["name"] = ""
        self._draft.host = None
        self.realms.run_task("create", order.name, create_job(self.realms.session, order))
        self.go_back()
        self._ordered(order.name)

    def _go_to_fault(self) -> None:
        refused = {key for key, fault in self.reading.faults.items() if fault.refused} if self.reading else set()
        row = next((row for row in self.query(FieldRow) if row.field.key in refused), None)
        if row is not None:
            row.edit()

    def action_leave(self) -> None:
        """Lift the table's filter, or go back; what was typed is kept for the next time."""
        super().action_leave()


def _ranking(configuration: Configuration, fleet: Fleet, request: Request) -> Callable[[object], tuple[Verdict, ...]]:
    return lambda _: rank(configuration, fleet, request)
