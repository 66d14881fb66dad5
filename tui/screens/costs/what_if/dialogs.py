"""The lists from which the changes of a what-if are chosen: what of a host, which VM, which cost function."""

from collections.abc import Callable, Hashable
from functools import partial

from core.config.syntax import render_path
from core.errors import UsageError
from core.fleet.fleet import Fleet, HostSnapshot
from core.hosts import HostState
from core.placement.what_if.changes import HostGone, VMGone, VMMore
from core.text import natural, plural
from core.units import show_size
from tui.render.cells import Tone
from tui.render.costs.headroom import in_words
from tui.render.rows import Column, Row
from tui.screens.area import AreaScreen
from tui.screens.costs.what_if.session import WhatIfSession, settings_of
from tui.screens.dialogs.choice import Choice

MOST_ADDED = 1000
"""VMs that are added at once."""

_HOST_COLUMNS = (Column(key="what", title="WHAT IF", least=20, most=200, stretch=True),)
_VM_COLUMNS = (
    Column(key="name", title="NAME", least=12, most=50, stretch=True, letter="N"),
    Column(key="vcpus", title="VCPUS", right=True, letter="C", ascending=False),
    Column(key="memory", title="MEMORY", right=True, letter="M", ascending=False),
    Column(key="devices", title="DEVICES", right=True, ascending=False),
)
_FUNCTION_COLUMNS = (
    Column(key="id", title="COST FUNCTION", least=12, most=50, stretch=True, letter="N"),
    Column(key="hosts", title="HOSTS", right=True, letter="H", ascending=False),
    Column(key="changes", title="CHANGES", right=True, ascending=False),
)
_CHANGE_COLUMNS = (Column(key="what", title="CHANGE", least=20, most=200, stretch=True),)


class WhatIfDialogs:
    """Opens the lists over a screen and changes its session as chosen; `changed` is called after each change."""

    def __init__(self, screen: AreaScreen, session: WhatIfSession, changed: Callable[[], None]) -> None:
        self._screen = screen
        self._session = session
        self._changed = changed

    def change_host(self, host: str | None) -> None:
        """Offer what could be otherwise with a host."""
        snapshot = self._snapshot(host)
        if snapshot is None or self._session.asked is None:
            return
        now = self._session.state_of(snapshot)
        dialog = Choice(
            f"What if: {snapshot.name}", "apply", _HOST_COLUMNS, self._host_rows(snapshot, now),
            at=("state", now) if now else ("gone",),
        )  # fmt: skip
        self._screen.app.push_screen(dialog, partial(self._change_host, snapshot.name))

    def _snapshot(self, host: str | None) -> HostSnapshot | None:
        fleet = self._screen.realms.fleet
        return fleet.host(host) if fleet is not None and host is not None else None

    def _host_rows(self, snapshot: HostSnapshot, now: HostState | None) -> list[Row]:
        asked = self._session.asked
        rows = []
        for state in HostState:
            words = f"{state.label}" + (" (current)" if state is snapshot.host.state else "")
            rows.append(_row(("state", state), words, present=now is state))
        rows.append(_row(("gone",), "gone, with all its VMs", present=now is None))
        if now is None or asked is None:
            return rows
        more = "one more VM" if asked.count == 1 else f"{asked.count} more VMs"
        rows.append(Row(("more",), (f"  with {more}: {in_words(asked.request)}",)))
        if any(True for _ in snapshot.active_vms()):
            rows.append(Row(("less",), ("  without one of its VMs...",)))
        if settings := self._session.raised(snapshot.name):
            words = " and ".join(f"{render_path(setting.path)} = {setting.text}" for setting in settings)
            rows.append(Row(("raised",), (f"  with {words}: it fits",)))
        return rows

    def _change_host(self, host: str, key: Hashable | None) -> None:
        session, snapshot = self._session, self._snapshot(host)
        if snapshot is None or session.asked is None:
            return
        match key:
            case ("state", HostState() as state):
                session.set_state(snapshot, state)
            case ("gone",):
                session.history.make(HostGone(host))
            case ("raised",):
                session.history.make(*session.raised(host))
            case ("more",):
                self._add_vms(VMMore(host, session.asked.request, session.asked.count))
                return
            case ("less",):
                self._choose_vm(snapshot)
                return
            case _:
                return
        self._changed()

    def add_vms(self) -> None:
        """Let the VMs of the request run where placement puts them."""
        exploration = self._session.exploration
        if exploration is None or self._session.asked is None:
            return
        if not exploration.placed_on:
            self._screen.realms.tell("No host can take it.", "warning")
            return
        self._add_vms(*(VMMore(host, exploration.request, number) for host, number in exploration.placed_on.items()))

    def _add_vms(self, *changes: VMMore) -> None:
        if sum(change.count for change in changes) > MOST_ADDED:
            self._screen.realms.tell(f"At most {MOST_ADDED} VMs can be added at once.", "warning")
            return
        try:
            self._session.add_vms(*changes)
        except UsageError as error:
            self._screen.realms.tell(error.message, "error", hint=error.hint)
        else:
            self._changed()

    def _choose_vm(self, snapshot: HostSnapshot) -> None:
        gone = {change.key for change in self._session.history.changes if isinstance(change, VMGone)}
        rows = [
            Row(
                vm.key,
                (vm.name, str(vm.vcpus), show_size(vm.memory_bytes), str(len(vm.devices)) if vm.devices else "-"),
                (natural(vm.name), vm.vcpus, vm.memory_bytes, len(vm.devices)),
            )
            for vm in snapshot.active_vms()
            if vm.key not in gone
        ]

        def without(key: Hashable | None) -> None:
            vm = next((vm for vm in snapshot.active_vms() if vm.key == key), None)
            if vm is not None:
                self._session.history.make(VMGone(vm.key, vm.name))
                self._changed()

        title = f"What if: {snapshot.name} without one of these"
        dialog = Choice(title, "remove", _VM_COLUMNS, rows, empty="No running VMs.")
        self._screen.app.push_screen(dialog, without)

    def choose_function(self, edit: Callable[[str], None]) -> None:
        """Ask which cost function to edit."""
        realms = self._screen.realms
        configuration, fleet = realms.session.configuration, realms.fleet or Fleet(0.0)
        rows = []
        for function in configuration.cost_functions:
            profiles = {
                id_ for id_, profile in configuration.hardware_profiles.items() if profile.cost_function == function
            }
            hosts = sum(snapshot.host.profile in profiles for snapshot in fleet.hosts)
            changed = len(settings_of(self._session.history.changes, function))
            cells = (function, str(hosts), str(changed) if changed else "-")
            rows.append(Row(function, cells, (natural(function), hosts, changed)))
        dialog = Choice(
            "Edit which cost function?", "edit", _FUNCTION_COLUMNS, rows, empty="None.",
            at=self._session.edited(configuration),
        )  # fmt: skip
        self._screen.app.push_screen(dialog, lambda key: edit(key) if isinstance(key, str) else None)

    def list_changes(self) -> None:
        """List the changes, each of which can be taken back."""
        rows = [Row(index, (str(change),)) for index, change in enumerate(self._session.history.changes)]
        dialog = Choice(
            f"What if: {plural(len(rows), 'change')}", "or Del revert", _CHANGE_COLUMNS, rows,
            empty="No changes: e edit a cost function, h a host.", delete=True,
        )  # fmt: skip
        self._screen.app.push_screen(dialog, self._take_back)

    def _take_back(self, index: Hashable | None) -> None:
        if isinstance(index, int):
            self._session.history.take_back(index)
            self._changed()

    def export(self) -> None:
        """Show what would make the changes real."""
        from tui.screens.costs.what_if.export import ExportDialog

        try:
            dialog = ExportDialog(*self._session.exported())
        except UsageError as error:
            self._screen.realms.tell(error.message)
        else:
            self._screen.app.push_screen(dialog)


def _row(key: Hashable, words: str, *, present: bool) -> Row:
    mark = "\N{BLACK RIGHT-POINTING SMALL TRIANGLE} " if present else "  "
    return Row(key, (((mark + words, Tone.STRONG if present else Tone.PLAIN),),))
