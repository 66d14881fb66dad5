"""What the pages of the wizard that sets pools up have in common: what they decide together."""

from dataclasses import dataclass, field

from core.hosts import Host
from core.operations.storage.pool_report import HostPools, PoolRole
from core.operations.storage.pools import PoolRequest
from core.realms import Realm
from tui.render.pools.setup import Checks, HostCheck
from tui.render.pools.table import HostPoolsView, pool_views
from tui.screens.dialogs.wizard import WizardPage


@dataclass(slots=True)
class PoolDraft:
    """What the pages have decided."""

    realm: Realm
    chosen: tuple[str, ...]
    """Names of the hosts, in the order of their list."""
    roles: tuple[PoolRole, ...] = ()
    """Empty before the page that asks for them."""
    request: PoolRequest | None = None
    proof: bool = True
    found: dict[str, HostPools] = field(default_factory=dict)
    """What hosts told since the checks began."""
    asking: set[str] = field(default_factory=set)


class SetUpPage(WizardPage):
    """A page of this wizard."""

    def __init__(self, draft: PoolDraft) -> None:
        super().__init__()
        self.draft = draft

    def views(self) -> tuple[HostPoolsView, ...]:
        """Return all hosts of the realm, with what is known of their pools."""
        fleet = self.realms.fleet
        if fleet is None:
            return ()
        views = pool_views(fleet, self.realms.session.configuration, self.realms.pool_sight)
        return tuple(view for view in views if view.snapshot.host.realm == self.draft.realm.id)

    def chosen_views(self) -> tuple[HostPoolsView, ...]:
        """Return the chosen hosts, with what is known of their pools."""
        return tuple(view for view in self.views() if view.snapshot.name in self.draft.chosen)

    def chosen_hosts(self) -> tuple[Host, ...]:
        """Return the chosen hosts."""
        return tuple(view.snapshot.host for view in self.chosen_views())

    def checks(self) -> Checks:
        """Put the plan beside what was found."""
        draft = self.draft
        plans = draft.request.plans(draft.realm) if draft.request is not None else {}
        hosts = tuple(
            HostCheck(host, draft.found.get(host.name), host.name in draft.asking) for host in self.chosen_hosts()
        )
        return Checks(hosts, plans, draft.request.need if draft.request is not None else 0)
