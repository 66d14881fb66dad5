"""The wizard that adds a host: what it is called, whether it answers, what it is, and then the registry."""

from collections.abc import Sequence
from typing import ClassVar, cast

from tui.messages import Changed
from tui.render.hosts.probe_report import failure_lines
from tui.screens.dialogs.wizard import Wizard
from tui.screens.hosts.wizard.connection import ConnectionPage
from tui.screens.hosts.wizard.name import NamePage
from tui.screens.hosts.wizard.page import HostDraft, HostPage
from tui.screens.hosts.wizard.profile import ProfilePage
from tui.screens.hosts.wizard.state import StatePage
from tui.screens.hosts.wizard.summary import SummaryPage


class HostWizard(Wizard[str]):
    """Gives the host's name once the registry has taken it. Nothing is written before the last page's button."""

    CSS_PATH: ClassVar = ["../../dialogs/dialogs.tcss", "../../dialogs/wizard.tcss", "wizard.tcss"]
    heading = "Add a host"

    def __init__(self) -> None:
        super().__init__()
        self.draft = HostDraft()

    def make_pages(self) -> Sequence[HostPage]:
        """Return the pages, in their order."""
        pages = (NamePage, ConnectionPage, ProfilePage, StatePage, SummaryPage)
        return tuple(page(self.draft) for page in pages)

    def on_changed(self, message: Changed) -> None:
        """Close once the registry took the host; else show why it didn't."""
        summary = cast("SummaryPage", self.pages[-1])
        if not message.done:
            message.reported = True
            summary.show_refusal([line for failure in message.failures for line in failure_lines(failure.error)])
            return
        pools = next((command for command in self.realms.app_commands if command.action == "area('pools')"), None)
        if pools is not None and summary.lacks_pools:
            where = f"{pools.key_text}: {pools.label}"
            self.realms.tell(f"Pools of its realm are missing: {where}.", "warning")
        self.dismiss(message.done[0])
