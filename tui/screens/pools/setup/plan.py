"""The pages of the wizard that say what is there, and exactly what will be done."""

from functools import partial

from textual.app import ComposeResult

from core.errors import RealmsError
from core.hosts import Host
from core.operations.storage.pool_report import HostPools, RealmPool
from tui.render.pools.setup import preview_lines
from tui.screens.background import BackgroundWork
from tui.screens.pools.setup.page import SetUpPage
from tui.widgets.flow import Flow


class ChecksPage(SetUpPage, BackgroundWork):
    """What the chosen hosts have, asked anew, beside what is planned."""

    title = "Checks"

    def compose(self) -> ComposeResult:
        """Lay out a text that grows."""
        yield Flow(id="checks")

    def enter(self) -> None:
        """Ask the hosts that answer; the others are told as they are."""
        from core.errors import HostUnreachable
        from core.operations.storage.pool_report import HostPools

        draft, views = self.draft, self.chosen_views()
        answering = [view.snapshot.host for view in views if view.freshness.is_current]
        draft.found = {
            view.snapshot.name: HostPools(
                view.snapshot.host, error=HostUnreachable(view.snapshot.name, view.snapshot.error or "no answer")
            )
            for view in views
            if not view.freshness.is_current
        }
        draft.asking = {host.name for host in answering}
        for host in answering:
            self._ask(host)
        self._show()

    def _ask(self, host: Host) -> None:
        from core.operations.storage import pool_capacity

        job = partial(pool_capacity.look_anew, host, self.draft.realm)
        take = partial(self._take_of, host)
        self.background.ask(host.name, lambda _: job(), take, partial(self._fail, host))

    def _take_of(self, host: Host, pools: tuple[RealmPool, ...]) -> None:
        from core.operations.storage.pool_report import HostPools

        self._take(HostPools(host, pools))

    def _fail(self, host: Host, error: RealmsError) -> None:
        from core.operations.storage.pool_report import HostPools

        self._take(HostPools(host, error=error))

    def _take(self, pools: HostPools) -> None:
        self.realms.pool_sight.take(pools)
        self.draft.asking.discard(pools.host.name)
        self.draft.found[pools.host.name] = pools
        if self.wizard.page is self:
            self._show()

    def _show(self) -> None:
        checks = self.checks()
        self.query_one(Flow).show(checks.lines)
        self.wizard.show_buttons()

    @property
    def may_go_on(self) -> bool:
        """Not over pools that are other ones than planned: setting up would refuse them."""
        return not self.checks().conflicts


class PreviewPage(SetUpPage):
    """The definitions and the equal virsh commands."""

    title = "Preview"
    verb = "Set up"

    def compose(self) -> ComposeResult:
        """Lay out a text."""
        yield Flow(id="preview")

    def enter(self) -> None:
        """Show what will be done, given what the hosts told."""
        lines = preview_lines(self.checks())
        self.query_one(Flow).show(lambda _: lines)
