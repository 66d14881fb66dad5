"""The second page: the way to the host is tried while one watches, and left when one goes back."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Button

from core.errors import Cancelled
from core.operations.doctor import HOST_SECONDS
from core.operations.host_contact import reach
from tui.render.host_changes import Question
from tui.render.host_contact import contact_lines, twins_of, waiting_lines
from tui.screens.host_keys import KeyHelp
from tui.screens.host_wizard_page import HostPage
from tui.screens.wizard import first_focusable
from tui.widgets.cells import Tone
from tui.widgets.flow import Flow

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from core.clock import Clock
    from core.hosts import Host
    from core.operations.host_contact import Contact


class Met(Message):
    """The way to a host was gone to its end, or to where it ends; `number` says which of the attempts this was."""

    def __init__(self, number: int, contact: Contact) -> None:
        super().__init__()
        self.number = number
        self.contact = contact


class Reached(Message):
    """A part of the way begins."""

    def __init__(self, number: int, stage: str) -> None:
        super().__init__()
        self.number = number
        self.stage = stage


@dataclass(slots=True)
class Attempt:
    """One test of the connection, in a daemon thread of its own until it ends or is stopped."""

    number: int
    host: Host
    began: float
    stop: threading.Event
    stage: str = ""

    def start(self, page: ConnectionPage, clock: Clock) -> None:
        """Go the way; Reached and Met bring to the page what comes of it."""

        def work() -> None:
            try:
                told = lambda stage: page.post_message(Reached(self.number, stage))  # noqa: E731 - one word each
                contact = reach(self.host, HOST_SECONDS, clock, stop=self.stop, told=told, registered=False)
            except Cancelled:
                return
            page.post_message(Met(self.number, contact))

        threading.Thread(target=work, name="test of a connection", daemon=True).start()


class ConnectionPage(HostPage):
    """Tests the connection when it comes to the front, unless this URI was tested already."""

    title = "Connection"

    def __init__(self) -> None:
        super().__init__()
        self._attempts = 0
        self._attempt: Attempt | None = None

    @property
    def contact(self) -> Contact | None:
        """What the last test of this URI came to."""
        contact = self.adding.contact
        return contact if contact is not None and contact.uri == self.adding.host.uri else None

    @property
    def is_testing(self) -> bool:
        """Whether an answer is waited for."""
        return self._attempt is not None

    @property
    def words(self) -> str:
        """Say what going on means now."""
        if self.is_testing:
            return "Don't wait"
        return "Next" if self.contact is not None and self.contact.survey is not None else "Go on all the same"

    def compose(self) -> ComposeResult:
        """Lay out the answer, help with the key, and the button that tries again."""
        yield Flow(id="answer")
        yield KeyHelp(id="key-help")
        with Horizontal(classes="actions", id="again-row"):
            yield Button("Test again", id="again", compact=True)

    def enter(self) -> None:
        """Test the connection, or show what that came to before."""
        if self.contact is None:
            self.test()
        else:
            self._show()

    def leave(self) -> bool:
        """Go on where the host answered; ask where it didn't."""
        if self.contact is not None and self.contact.survey is not None:
            return True
        from tui.screens.confirm import Confirm

        waits, name = self.is_testing, self.adding.host.name
        told = "has not answered yet" if waits else "does not answer"
        lines = (
            ((f"{name} {told}: what it is can't be compared with its profile.", Tone.WARN),),
            (),
            (("It can be added all the same, and is connected to as soon as it answers.", Tone.MUTED),),
        )
        self.app.push_screen(Confirm(Question(f"Go on without {name}'s answer?", lines, "Go on")), self._answered)
        return False

    def withdraw(self) -> None:
        """Leave the way that is being tried."""
        self.stop()

    def _answered(self, wanted: bool | None) -> None:
        if wanted and self.adding.page is self:
            self.adding.go_to_page(self.adding.at + 1)

    def test(self) -> None:
        """Try the way to the host."""
        self.stop()
        self._attempts += 1
        clock = self.adding.realms.workplace.clock
        self._attempt = Attempt(self._attempts, self.adding.host, clock.monotonic(), threading.Event())
        self.adding.contact = None
        self._attempt.start(self, clock)
        self._show()

    def stop(self) -> None:
        """Leave the way that is being tried."""
        if self._attempt is not None:
            self._attempt.stop.set()
            self._attempt = None

    def on_mount(self) -> None:
        """Count the seconds while an answer is waited for."""
        self.set_interval(1.0, self._tick)

    def on_unmount(self) -> None:
        """Leave the way when the wizard is left."""
        self.stop()

    def _tick(self) -> None:
        if not self.is_testing:
            return
        self._show()

    def on_reached(self, message: Reached) -> None:
        """Say what is being tried."""
        if self._attempt is not None and message.number == self._attempt.number:
            self._attempt.stage = message.stage
            self._show()

    def on_met(self, message: Met) -> None:
        """Show what the test came to, unless it was left meanwhile."""
        if self._attempt is None or message.number != self._attempt.number:
            return
        self._attempt = None
        self.adding.contact = message.contact
        self._show()
        self.call_after_refresh(self._offer_next)

    def _offer_next(self) -> None:
        """Put the focus where one goes on: to the next page, or to what may mend the way."""
        if self.adding.page is not self:  # gone back meanwhile
            return
        contact = self.contact
        within = first_focusable(self) if contact is not None and contact.survey is None else None
        (within or self.adding.query_one("#next")).focus()

    def _show(self) -> None:
        attempt, contact = self._attempt, self.contact
        answer, help_with_key = self.query_one("#answer", Flow), self.query_one(KeyHelp)
        self.query_one("#again-row").display = attempt is None
        if attempt is not None:
            waited = self.adding.realms.workplace.clock.monotonic() - attempt.began
            uri, stage = attempt.host.uri, attempt.stage or "looking at the URI"
            answer.show(lambda width: waiting_lines(uri, stage, waited, HOST_SECONDS, width))
            help_with_key.hide()
        elif contact is not None:
            twins = twins_of(contact.survey, self.adding.realms.fleet, self.adding.host.name)
            answer.show(lambda width: contact_lines(contact, twins, width))
            if contact.wants_key and contact.target is not None:
                help_with_key.offer(contact.target, contact.uri)
            else:
                help_with_key.hide()
        if self.adding.page is self:
            self.adding.show_buttons()

    @on(Button.Pressed, "#again")
    def try_again(self, event: Button.Pressed) -> None:
        """Test once more."""
        event.stop()
        self.test()

    @on(KeyHelp.Mended)
    def see_whether_it_helped(self) -> None:
        """Test once more, now that something was done about the key."""
        self.test()
