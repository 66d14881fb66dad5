"""The area of pools: every host by the four pools of its realm, the chosen host's in detail below."""

from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult

from core.errors import RealmsError
from core.fleet.fleet import Connection, Fleet
from core.hosts import Host
from core.operations.storage.pool_report import HostPools, PoolsReport, RealmPool
from core.operations.tasks.task import Control
from tui.commands import Command, bindings
from tui.jobs.realm_choice import one_realm
from tui.render.ages import connection_text
from tui.render.pools.detail import PoolsDetail
from tui.render.pools.table import HostPoolsView, pool_columns, pool_rows, pool_views
from tui.render.rows import RowKey
from tui.screens.area import AreaScreen
from tui.state.pool_cache import PoolCache
from tui.widgets.grid import Grid
from tui.widgets.panel import Panel

LOOK_SECONDS = 5.0
"""How often the age of the figures is looked at while the area is in front."""


class PoolsScreen(AreaScreen):
    """State, room and sharing of the realms' pools; what is done applies to the marked hosts."""

    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("S", "set_up", "Set up", "Set up pools on the selected hosts.", footer=True, changes=True),
        Command("p", "prove", "Prove", "Prove that the hosts share their storage.", footer=True, changes=True),
        Command("r,f5", "ask_again", "Refresh", "Refresh the free space of the selected hosts' pools.", footer=True),
        Command("c", "open_contents", "Contents", "Show the contents of the pools (also Enter).", footer=True),
        Command("h", "open_host", "Host", "Show the host."),
    )
    BINDINGS: ClassVar = bindings(KEYS)
    CSS_PATH = "pools.tcss"
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012 - an instance variable by its declaration
        (0, "-short"),
        (30, "-normal"),
    ]

    @property
    def sight(self) -> PoolCache:
        """What was seen of pools so far, by any screen."""
        return self.realms.pool_sight

    def compose_body(self) -> ComposeResult:
        """Lay out the table and the panel."""
        realms = self.realms.session.configuration.realms
        can_add = self.realms.session.is_writable
        empty = "No hosts yet. Add a host in Hosts (1), then set up its pools here." if can_add else ""
        yield self.grid(pool_columns(len(realms)), "pools", heading="Pools", empty=empty or "No hosts.")
        yield Panel(id="pool")

    def on_mount(self) -> None:
        """Let the figures' age grow on the screen."""
        self._views: tuple[HostPoolsView, ...] = ()
        self.set_interval(LOOK_SECONDS, self._grow_older)

    def _grow_older(self) -> None:
        if self.is_current:
            self._show_detail()

    # What is shown -------------------------------------------------------------------------------------------------

    def show_fleet(self, fleet: Fleet) -> None:
        """Show the pools' state as it is now; ask for the figures of hosts where it is another than before."""
        self._ask_where_changed(fleet)
        configuration = self.realms.session.configuration
        self._views = pool_views(fleet, configuration, self.sight)
        self.query_one(Grid).set_rows(pool_rows(self._views, fleet.taken, configuration, self.sight))
        self.query_one(Grid).set_note(self._note())
        self._show_detail()

    def _note(self) -> str:
        asking = sum(sight.asking for sight in self.sight.hosts.values())
        return f"asking {asking} hosts" if asking else "usage and free space"

    @on(Grid.Moved)
    def _show_detail(self) -> None:
        panel, view = self.query_one(Panel), self._view_under_cursor()
        panel.display = view is not None
        if view is None:
            return
        realm = view.snapshot.host.realm
        others = tuple(other for other in self._views if other is not view and other.snapshot.host.realm == realm)
        clock, realms = self.realms.session.clock, self.realms.session.configuration.realms
        connection = connection_text(view.snapshot, clock.now(), realms)
        detail = PoolsDetail(view, others, clock.now(), self.sight, connection)
        panel.show(detail.title(), detail.lines)

    def _view_under_cursor(self) -> HostPoolsView | None:
        key = self.query_one(Grid).cursor_key
        return next((view for view in self._views if view.snapshot.name == key), None)

    # Asking --------------------------------------------------------------------------------------------------------

    def _ask_where_changed(self, fleet: Fleet) -> None:
        if not self.realms.session.is_live:
            return
        for snapshot in fleet.hosts:
            sight = self.sight.of(snapshot.name)
            answers = snapshot.connection is Connection.CONNECTED and snapshot.pools is not None
            if answers and not sight.asking and sight.asked_for != snapshot.pools:
                sight.asked_for = snapshot.pools
                self._ask(snapshot.host)

    def _ask(self, host: Host) -> None:
        from core.operations.storage import pool_capacity

        realm = self.realms.session.configuration.realms.get(host.realm)
        if realm is not None and not self.sight.of(host.name).asking:
            self.sight.of(host.name).asking = True
            job = partial(pool_capacity.look_anew, host, realm)
            take = partial(self._take_of, host)
            self.background.ask(host.name, lambda _: job(), take, partial(self._fail, host))

    def _take_of(self, host: Host, pools: tuple[RealmPool, ...]) -> None:
        self._take(HostPools(host, pools))

    def _fail(self, host: Host, error: RealmsError) -> None:
        self._take(HostPools(host, error=error))

    def _take(self, pools: HostPools) -> None:
        self.sight.take(pools)
        if self.is_current and self.realms.fleet is not None:
            self.show_fleet(self.realms.fleet)

    def action_ask_again(self) -> None:
        """Have the chosen hosts' libvirt look into their pools, all hosts' where one is chosen by the cursor alone."""
        if not self.realms.session.is_live:
            self.realms.tell("Not available for a saved fleet.", "warning")
            return
        marked = self.query_one(Grid).model.marks
        views = [view for view in self._views if not marked or view.snapshot.name in marked]
        for view in views:
            if view.freshness.is_current:
                self._ask(view.snapshot.host)
        if self.realms.fleet is not None:
            self.show_fleet(self.realms.fleet)

    # What is done --------------------------------------------------------------------------------------------------

    def _may_change(self) -> bool:
        session = self.realms.session
        if not session.is_writable:
            self.realms.tell(f"Nothing can be changed: {session.why_not}.", "warning")
        return session.is_writable

    def _chosen(self) -> tuple[HostPoolsView, ...]:
        keys = self.query_one(Grid).chosen()
        return tuple(view for view in self._views if view.snapshot.name in keys)

    def action_set_up(self) -> None:
        """Go through the wizard that sets pools up."""
        chosen = self._chosen()
        if not self._may_change() or (realm := one_realm(self.realms, [view.snapshot for view in chosen])) is None:
            return
        from tui.screens.pools.setup.wizard import PoolsWizard

        self.app.push_screen(PoolsWizard(realm, [view.snapshot.name for view in chosen]), self._after_set_up)

    def _after_set_up(self, changed: bool | None) -> None:
        if changed:
            self.query_one(Grid).clear_marks()
        if self.realms.fleet is not None:
            self.show_fleet(self.realms.fleet)

    def action_prove(self) -> None:
        """Make a tiny volume in each pool of the marked hosts, or of all, and see which of the others see it."""
        chosen = self._chosen()
        if not self._may_change() or (realm := one_realm(self.realms, [view.snapshot for view in chosen])) is None:
            return
        if len(chosen) < 2:
            chosen = tuple(view for view in self._views if view.snapshot.host.realm == realm.id)
        hosts = [view.snapshot.host for view in chosen if view.snapshot.host.state.connects]
        if len(hosts) < 2:
            self.realms.tell(f"Nothing to compare: only one host of realm {realm.id} is connected.", "warning")
            return

        def job(control: Control) -> PoolsReport:
            from core.operations.storage.pools import look_at_pools

            return look_at_pools(control, realm, hosts, prove_sharing=True)

        self.realms.run_task("prove shared storage of", realm.id, job, self._after_proof)
        self.query_one(Grid).clear_marks()

    def _after_proof(self, report: PoolsReport) -> None:
        self.sight.take_report(report)
        for sharing in report.sharing:
            bad = sharing.shared is False or bool(sharing.error)
            if bad:
                self.realms.tell(sharing.message, "error")
        for host in report.hosts:
            if host.error is not None:
                self.realms.tell(f"Not compared: {host.error}", "warning")
        if report.ok:
            shared = sum(sharing.shared is True for sharing in report.sharing)
            self.realms.tell(f"{shared} of {len(report.sharing)} pools of realm {report.realm.id} are shared (proved).")
        if self.is_mounted and self.realms.fleet is not None:
            self.show_fleet(self.realms.fleet)

    @on(Grid.Chosen)
    def action_open_contents(self) -> None:
        """Show what lies in the host's pools."""
        view = self._view_under_cursor()
        if view is None:
            return
        if not self.realms.session.is_live:
            self.realms.tell("Not available for a saved fleet.", "warning")
            return
        if view.realm is None or not view.snapshot.host.state.connects:
            why = "is disabled" if view.realm is not None else "belongs to an unknown realm"
            self.realms.tell(f"{view.snapshot.name} {why}: its pools can't be read.", "warning")
            return
        from tui.screens.pools.contents import PoolContentsScreen

        self.app.push_screen(PoolContentsScreen(view.snapshot.name, view.realm))

    def action_open_host(self) -> None:
        """Show the host under the cursor."""
        view = self._view_under_cursor()
        if view is not None:
            self.realms.navigation.open_host(view.snapshot.name)

    def go_to_row(self, key: RowKey) -> None:
        """Put the cursor on a host."""
        self.query_one(Grid).go_to(key)
