"""The second page: the way to the host is tried while one watches, and left when one goes back."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button

from core.errors import RealmsError
from core.operations.doctor.contact import Contact, reach
from core.operations.doctor.doctor import HOST_SECONDS
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Control, TaskView
from tui.render.cells import Tone
from tui.render.hosts.contact import contact_lines, twins_of, waiting_lines
from tui.render.hosts.findings import hanging
from tui.render.question import Question
from tui.screens.background import BackgroundWork
from tui.screens.dialogs.confirm import Confirm
from tui.screens.dialogs.wizard import first_focusable
from tui.screens.hosts.wizard.page import HostDraft, HostPage
from tui.screens.hosts.wizard.ssh_key import KeyHelp
from tui.widgets.flow import Flow


class ConnectionPage(HostPage, BackgroundWork):
    """Tests the connection when it comes to the front, unless this URI was tested already."""

    title = "Connection"

    def __init__(self, draft: HostDraft) -> None:
        super().__init__(draft)
        self._began = 0.0
        self._stage = ""
        self._error: RealmsError | None = None
        """Why the last test came to nothing, where it was not the host."""

    @property
    def contact(self) -> Contact | None:
        """What the last test of this URI came to."""
        contact = self.draft.contact
        return contact if contact is not None and contact.uri == self.draft.host.uri else None

    @property
    def is_testing(self) -> bool:
        """Whether an answer is waited for."""
        return self.background.awaits("way")

    @property
    def words(self) -> str:
        """Return what going on means now."""
        if self.is_testing:
            return "Don't wait"
        return "Next" if self.contact is not None and self.contact.survey is not None else "Skip"

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
        waits, name = self.is_testing, self.draft.host.name
        told = "has not answered yet" if waits else "does not answer"
        lines = (
            ((f"{name} {told}: cannot compare it with a profile.", Tone.WARN),),
            (),
            (("You can still add it; it connects as soon as it answers.", Tone.MUTED),),
        )
        self.app.push_screen(
            Confirm(Question(f"Continue without an answer from {name}?", lines, "Continue")), self._answered
        )
        return False

    def withdraw(self) -> None:
        """Leave the way that is being tried."""
        self.stop()

    def _answered(self, wanted: bool | None) -> None:
        if wanted and self.wizard.page is self:
            self.wizard.go_to_page(self.wizard.at + 1)

    def test(self) -> None:
        """Try the way to the host."""
        self.stop()
        host, clock = self.draft.host, self.background.clock
        self._began, self._stage, self._error, self.draft.contact = clock.monotonic(), "", None, None

        def job(control: Control) -> Contact:
            with control.step(StepKind.LOOK, "go the way to the host", host.uri) as step:
                stop = control.cancel_asked
                return reach(host, HOST_SECONDS, clock, stop=stop, on_result=step.detail, registered=False)

        self.background.ask("way", job, self._take, self._fail, self._follow)
        self._show()

    def stop(self) -> None:
        """Leave the way that is being tried."""
        self.background.forget("way")

    def on_mount(self) -> None:
        """Count the seconds while an answer is waited for."""
        self.set_interval(1.0, self._tick)

    def _tick(self) -> None:
        if self.is_testing:
            self._show()

    def _follow(self, view: TaskView) -> None:
        self._stage = view.steps[-1].detail if view.steps else ""
        self._show()

    def _take(self, contact: Contact) -> None:
        self.draft.contact = contact
        self._show()
        self.call_after_refresh(self._offer_next)

    def _fail(self, error: RealmsError) -> None:
        self._error = error
        self._show()

    def _offer_next(self) -> None:
        """Put the focus where one goes on: to the next page, or to what may mend the way."""
        if self.wizard.page is not self:  # gone back meanwhile
            return
        contact = self.contact
        within = first_focusable(self) if contact is not None and contact.survey is None else None
        (within or self.wizard.query_one("#next")).focus(scroll_visible=False)

    def _show(self) -> None:
        contact = self.contact
        answer, help_with_key = self.query_one("#answer", Flow), self.query_one(KeyHelp)
        self.query_one("#again-row").display = not self.is_testing
        if self.is_testing:
            waited = self.background.clock.monotonic() - self._began
            uri, stage = self.draft.host.uri, self._stage or "checking the URI"
            answer.show(lambda width: waiting_lines(uri, stage, waited, HOST_SECONDS, width))
            help_with_key.hide()
        elif contact is not None:
            twins = twins_of(contact.survey, self.realms.fleet, self.draft.host.name)
            answer.show(lambda width: contact_lines(contact, twins, width))
            if contact.wants_key and contact.target is not None:
                help_with_key.offer(contact.target, contact.uri)
            else:
                help_with_key.hide()
        elif (error := self._error) is not None:
            answer.show(lambda width: hanging("No answer ", Tone.BAD, str(error), Tone.PLAIN, width))
            help_with_key.hide()
        if self.wizard.page is self:
            self.wizard.show_buttons()

    @on(Button.Pressed, "#again")
    def try_again(self, event: Button.Pressed) -> None:
        """Test once more."""
        event.stop()
        self.test()

    @on(KeyHelp.Mended)
    def see_whether_it_helped(self) -> None:
        """Test once more, now that something was done about the key."""
        self.test()
