"""The form of a host: changes of one that is registered."""

from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Select, Static

from core.driver.hosts.probe import HostReport
from core.hosts import Host, HostState
from core.text import printable
from tui.forms.host import Fault, check_host_name, check_static_address, check_uri
from tui.messages import Changed
from tui.render.cells import Piece, Tone
from tui.render.hosts.probe_report import failure_lines, report_lines
from tui.screens.background import BackgroundWork
from tui.screens.hosts.connection_test import probe
from tui.widgets.host_fields import choice_field, show_faults, text_field
from tui.widgets.modal import Modal
from tui.widgets.tones import paragraphs

WRITTEN = ("name", "uri", "static")
"""Fields that are written in, and that something can be wrong with."""

STATIC_HINT = "none, or ADDRESS:BASEPORT such as 203.0.113.7:7000"


class HostForm(Modal[str | None], BackgroundWork):
    """Gives the host's name once the registry has taken it; each field says at once what is wrong with it."""

    BINDINGS: ClassVar = [
        Binding("escape", "dismiss(None)", "Cancel"),
        Binding("ctrl+s", "save", "Save"),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]
    CSS_PATH = "../dialogs/dialogs.tcss"

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.old = host
        self._touched: set[str] = set()

    def compose(self) -> ComposeResult:
        """Lay out the fields, what is wrong with each below it."""
        configuration = self.realms.session.configuration
        old = self.old
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(f"Edit {printable(old.name)}")
            dialog.border_subtitle = Content("Ctrl+S saves, Esc cancels")
            yield from text_field("name", "Name", old.name, "a descriptive, unique name")
            yield from text_field("uri", "URI", old.uri, "qemu+ssh://root@host/system")
            yield from choice_field("realm", "Realm", _same(configuration.realms), old.realm)
            yield from choice_field("profile", "Profile", _same(configuration.hardware_profiles), old.profile)
            states = [(state.value, state.label) for state in HostState]
            yield from choice_field("state", "State", states, old.state.value)
            static = str(old.static_address) if old.static_address else ""
            yield from text_field("static", "Static address", static, STATIC_HINT)
            with VerticalScroll(classes="outcome", can_focus=False):
                yield Static(id="outcome")
            with Horizontal(classes="buttons"):
                yield Button("Test", id="test", compact=True)
                yield Button("Cancel", id="cancel", compact=True)
                yield Button("Save", id="save", compact=True)

    def on_mount(self) -> None:
        """Begin at the first field."""
        self.query_one("#name").focus()

    # Fields --------------------------------------------------------------------------------------------------------

    @on(Input.Changed)
    def check_field(self, event: Input.Changed) -> None:
        """Say at once what is wrong with a field that was written in."""
        self._touched.add(event.input.id or "")
        show_faults(self, self.faults(), self._touched & set(WRITTEN))

    def faults(self) -> dict[str, Fault]:
        """Return what is wrong with the fields as they are, by field."""
        fleet = self.realms.fleet
        others = [
            snapshot.host for snapshot in (fleet.hosts if fleet is not None else ()) if snapshot.name != self.old.name
        ]
        checked = {
            "name": check_host_name(self._value("name"), others),
            "uri": check_uri(self._value("uri")),
            "static": check_static_address(self._value("static"), others),
        }
        return {field: fault for field, fault in checked.items() if fault is not None}

    def _value(self, field: str) -> str:
        return self.query_one(f"#{field}", Input).value.strip()

    def host(self) -> Host:
        """Return the host as the fields describe it; raises RealmsError for fields that make none."""
        from core.hosts import StaticAddress

        static = self._value("static")
        return Host(
            name=self._value("name"),
            realm=str(self.query_one("#realm", Select).value),
            uri=self._value("uri"),
            profile=str(self.query_one("#profile", Select).value),
            state=HostState(str(self.query_one("#state", Select).value)),
            static_address=StaticAddress.parse(static) if static else None,
            version=self.old.version,
        )

    # Test and save -------------------------------------------------------------------------------------------------

    @on(Button.Pressed)
    def press(self, event: Button.Pressed) -> None:
        """Do what the button says."""
        match event.button.id:
            case "save":
                self.action_save()
            case "test":
                self._test()
            case _:
                self.dismiss(None)

    @on(Input.Submitted)
    def go_on(self) -> None:
        """Go to the next field on Enter."""
        self.focus_next()

    def action_save(self) -> None:
        """Check everything, then hand it to the registry; its answer decides."""
        faults = self.faults()
        self._touched |= set(WRITTEN)
        show_faults(self, faults, WRITTEN)
        refused = [field for field, fault in faults.items() if fault.refused]
        if refused:
            self.query_one(f"#{refused[0]}").focus()
            return
        session, old, new = self.realms.session, self.old, self.host()
        self.realms.change(f"{new.name}: changed", [(new.name, lambda: session.change_host(old, new))])
        self.query_one("#save", Button).disabled = True

    def on_changed(self, message: Changed) -> None:
        """Close once the registry took the host; else show why it didn't."""
        if message.done:
            self.dismiss(message.done[0])
            return
        message.reported = True
        self.query_one("#save", Button).disabled = False
        self._tell([line for failure in message.failures for line in failure_lines(failure.error)])

    def _test(self) -> None:
        fault = self.faults().get("uri")
        if fault is not None and fault.refused:
            show_faults(self, self.faults(), ("uri",))
            return
        self._tell([((f"Connecting to {self._value('uri')}", Tone.MUTED),)])
        job = partial(probe, self.realms.session, self._value("uri"))
        self.background.ask("probe", job, self._report, lambda error: self._tell(failure_lines(error)))

    def _report(self, report: HostReport) -> None:
        realm, profile = (str(self.query_one(f"#{field}", Select).value) for field in ("realm", "profile"))
        self._tell(report_lines(report, realm, profile, self.realms.session.configuration))

    def _tell(self, lines: Iterable[tuple[Piece, ...]]) -> None:
        self.query_one(".outcome").add_class("-shown")
        self.query_one("#outcome", Static).update(paragraphs(lines))


def _same(ids: Iterable[str]) -> list[tuple[str, str]]:
    return [(identity, identity) for identity in ids]
