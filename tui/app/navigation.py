"""The ways from one area into another: areas know nothing of each other's screens, which load when they are opened."""

from collections.abc import Callable, Sequence
from typing import Any

from textual.app import App

from core.fleet.fleet import VMKey
from core.realms import Realm
from tui.render.rows import RowKey
from tui.screens.area import AreaScreen


class Navigator:
    """Goes to areas by `go_to_area`, and opens places of any area in front of what is shown."""

    def __init__(self, app: App[Any], go_to_area: Callable[[str], None]) -> None:
        self._app = app
        self._go_to_area = go_to_area

    def go_to_host(self, name: str) -> None:
        """Show a host in its area."""
        self._go_to_row("hosts", name)

    def go_to_vm(self, key: VMKey) -> None:
        """Show a VM in its area."""
        self._go_to_row("vms", key)

    def _go_to_row(self, area: str, key: RowKey) -> None:
        def go() -> None:
            if isinstance(self._app.screen, AreaScreen):
                self._app.screen.go_to_row(key)

        self._go_to_area(area)
        self._app.call_after_refresh(go)

    def open_host(self, name: str) -> None:
        """Open a host."""
        from tui.screens.hosts.detail import HostScreen

        self._app.push_screen(HostScreen(name))

    def open_vm(self, key: VMKey) -> None:
        """Open a VM."""
        from tui.screens.vms.detail import VMScreen

        self._app.push_screen(VMScreen(key))

    def open_drain_plan(self, host: str) -> None:
        """Go to the plans, and show the one that empties a host."""
        from tui.screens.plans.area import PlansScreen

        def show() -> None:
            if isinstance(self._app.screen, PlansScreen):
                self._app.screen.drain(host)

        self._go_to_area("plans")
        self._app.call_after_refresh(show)

    def open_pool_setup(self, realm: Realm, hosts: Sequence[str]) -> None:
        """Open the wizard that sets pools up."""
        from tui.screens.pools.setup.wizard import PoolsWizard

        self._app.push_screen(PoolsWizard(realm, hosts))
