"""The last page: exactly what is written, and what follows from it."""

from collections.abc import Sequence

from textual.app import ComposeResult

from core.codes import Check
from core.diagnostics import Severity
from tui.render.hosts.profiles import answers_to
from tui.render.hosts.summary import HostPlan, Line, summary_lines
from tui.screens.hosts.wizard.page import HostDraft, HostPage
from tui.widgets.flow import Flow


class SummaryPage(HostPage):
    """Shows the host as it will be registered; its button does it."""

    title = "Summary"
    verb = "Add"

    def __init__(self, draft: HostDraft) -> None:
        super().__init__(draft)
        self._pending = False
        self._refusal: Sequence[Line] = ()
        self._plan: HostPlan | None = None

    @property
    def may_go_on(self) -> bool:
        """Once: until the registry has answered."""
        return not self._pending

    @property
    def lacks_pools(self) -> bool:
        """Whether pools of the realm were missing when the host was asked."""
        return self._plan is not None and any(
            finding.check is Check.POOLS and finding.severity is Severity.ERROR for finding in self._plan.findings
        )

    def compose(self) -> ComposeResult:
        """Lay out the sentences."""
        yield Flow(id="summary")

    def enter(self) -> None:
        """Say what the pages before came to."""
        session, host, contact = self.realms.session, self.draft.host, self.draft.contact
        survey = contact.survey if contact is not None else None
        configuration = session.configuration
        found = answers_to(host.name, host.realm, host.profile, configuration, survey) if survey is not None else []
        self._refusal = ()
        path = str(session.registry.path) if session.registry is not None else ""
        self._plan = HostPlan(host, configuration, survey, tuple(found), path)
        self._show()

    def leave(self) -> bool:
        """Hand the host to the registry, whose answer closes the wizard."""
        self._pending = True
        self.wizard.show_buttons()
        session, new = self.realms.session, self.draft.host
        self.realms.change(f"{new.name}: added", [(new.name, lambda: session.add_host(new))])
        return False

    def show_refusal(self, lines: Sequence[Line]) -> None:
        """Say why the registry didn't take the host."""
        self._pending = False
        self._refusal = lines
        self._show()
        self.wizard.show_buttons()
        self.scroll_home(animate=False)

    def _show(self) -> None:
        plan, refusal = self._plan, self._refusal
        if plan is not None:
            self.query_one("#summary", Flow).show(lambda width: summary_lines(plan, refusal, width))
