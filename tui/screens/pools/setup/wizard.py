"""The wizard that sets pools up: hosts, pools, place, checks, preview; then it is done, and sharing proved."""

from collections.abc import Sequence

from core.realms import Realm
from tui.screens.dialogs.wizard import Wizard
from tui.screens.pools.setup.choices import HostsPage, RolesPage
from tui.screens.pools.setup.location import PlacePage
from tui.screens.pools.setup.page import PoolDraft, SetUpPage
from tui.screens.pools.setup.plan import ChecksPage, PreviewPage
from tui.screens.pools.setup.run import RunPage


class PoolsWizard(Wizard[bool]):
    """Gives True once it has run. Nothing is done before the last page."""

    CSS_PATH = ["../../dialogs/dialogs.tcss", "../../dialogs/wizard.tcss", "setup.tcss"]  # noqa: RUF012 - Textual's own form

    def __init__(self, realm: Realm, hosts: Sequence[str]) -> None:
        super().__init__()
        self.heading = f"Set up pools of realm {realm.id}"
        self.draft = PoolDraft(realm, tuple(hosts))

    def make_pages(self) -> Sequence[SetUpPage]:
        """Return the pages."""
        pages = (HostsPage, RolesPage, PlacePage, ChecksPage, PreviewPage, RunPage)
        return tuple(page(self.draft) for page in pages)

    def outcome(self) -> bool:
        """Return the message that it has run."""
        return True
