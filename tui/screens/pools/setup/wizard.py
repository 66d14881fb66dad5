"""The wizard that sets pools up: hosts, pools, place, checks, preview; then it is done, and sharing proved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.render.pools.setup import Checks, HostCheck
from tui.render.pools.table import pool_views
from tui.screens.dialogs.wizard import Wizard
from tui.screens.pools.setup.choices import HostsPage, RolesPage
from tui.screens.pools.setup.location import PlacePage
from tui.screens.pools.setup.plan import ChecksPage, PreviewPage
from tui.screens.pools.setup.run import RunPage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.hosts import Host
    from core.operations.storage.pool_report import HostPools, PoolRole
    from core.operations.storage.pools import PoolRequest
    from core.realms import Realm
    from tui.render.pools.table import HostPoolsView
    from tui.screens.dialogs.wizard import WizardPage


class PoolsWizard(Wizard[bool]):
    """Gives True once it has run. What the pages decide is kept here; nothing is done before the last page."""

    CSS_PATH = ["../../dialogs/dialogs.tcss", "../../dialogs/wizard.tcss", "setup.tcss"]  # noqa: RUF012 - Textual's own form

    def __init__(self, realm: Realm, hosts: Sequence[str]) -> None:
        super().__init__()
        self.realm = realm
        self.heading = f"Set up pools of realm {realm.id}"
        self.chosen: tuple[str, ...] = tuple(hosts)
        """Names of the hosts, in the order of their list."""
        self.roles: tuple[PoolRole, ...] = ()
        """Empty before the page that asks for them."""
        self.request: PoolRequest | None = None
        self.proof = True
        self.found: dict[str, HostPools] = {}
        """What hosts told since the checks began."""
        self.asking: set[str] = set()

    def make_pages(self) -> Sequence[WizardPage]:
        """Give the pages."""
        return (HostsPage(), RolesPage(), PlacePage(), ChecksPage(), PreviewPage(), RunPage())

    def outcome(self) -> bool:
        """Tell that it has run."""
        return True

    def views(self) -> tuple[HostPoolsView, ...]:
        """Give all hosts of the realm, with what is known of their pools."""
        fleet = self.realms.fleet
        if fleet is None:
            return ()
        views = pool_views(fleet, self.realms.workplace.configuration, self.realms.pool_sight)
        return tuple(view for view in views if view.snapshot.host.realm == self.realm.id)

    def chosen_views(self) -> tuple[HostPoolsView, ...]:
        """Give the chosen hosts, with what is known of their pools."""
        return tuple(view for view in self.views() if view.snapshot.name in self.chosen)

    def chosen_hosts(self) -> tuple[Host, ...]:
        """Give the chosen hosts."""
        return tuple(view.snapshot.host for view in self.chosen_views())

    def checks(self) -> Checks:
        """Put the plan beside what was found."""
        plans = self.request.plans(self.realm) if self.request is not None else {}
        hosts = tuple(
            HostCheck(host, self.found.get(host.name), host.name in self.asking) for host in self.chosen_hosts()
        )
        return Checks(hosts, plans, self.request.need if self.request is not None else 0)
