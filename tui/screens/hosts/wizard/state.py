"""The fourth page: the state to begin with, and how its VMs are reached from outside."""

from dataclasses import replace

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input, Select

from core.errors import HostRefused
from core.hosts import HostState, StaticAddress
from tui.forms.host import Fault, check_static_address
from tui.render.hosts.summary import state_lines, translation_lines
from tui.screens.hosts.wizard.page import HostPage
from tui.widgets.flow import Flow
from tui.widgets.host_fields import choice_field, show_faults, text_field


class StatePage(HostPage):
    """State and static address translation."""

    title = "State"

    def compose(self) -> ComposeResult:
        """Lay out both, and below each what it means."""
        states = [(state.value, state.label) for state in HostState]
        yield from choice_field("state", "State", states, HostState.ENABLED.value)
        yield Flow(id="state-means", classes="below")
        yield from text_field("static", "Static address", "", "none, or ADDRESS:BASEPORT such as 203.0.113.7:7000")
        yield Flow(id="static-means", classes="below")

    def enter(self) -> None:
        """Say what the present values mean."""
        self._explain()

    @on(Select.Changed)
    def _explain(self) -> None:
        state = HostState(str(self.query_one("#state", Select).value))
        survey = self.draft.contact.survey if self.draft.contact is not None else None
        self.query_one("#state-means", Flow).show(lambda width: state_lines(state, width))
        address = self._address()
        guests = survey.occupation.addresses if survey is not None else ()
        self.query_one("#static-means", Flow).show(lambda width: translation_lines(address, guests, width))

    @on(Input.Changed)
    def check_field(self) -> None:
        """Say at once what is wrong with the address, or what it leads to."""
        show_faults(self, self.faults(), ("static",))
        self._explain()

    def _text(self) -> str:
        return self.query_one("#static", Input).value.strip()

    def _address(self) -> StaticAddress | None:
        try:
            return StaticAddress.parse(self._text()) if self._text() else None
        except HostRefused:
            return None

    def faults(self) -> dict[str, Fault]:
        """Return what is wrong with the address."""
        fault = check_static_address(self._text(), self.others())
        return {"static": fault} if fault is not None else {}

    def leave(self) -> bool:
        """Take over both."""
        faults = self.faults()
        show_faults(self, faults, ("static",))
        if faults:
            self.query_one("#static").focus()
            return False
        state = HostState(str(self.query_one("#state", Select).value))
        self.draft.host = replace(self.draft.host, state=state, static_address=self._address())
        return True
