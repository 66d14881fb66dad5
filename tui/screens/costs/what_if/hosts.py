"""What if a host were in another state, gone, or had other VMs: offered in lists, made in thought."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.config.settings import Setting
from core.config.syntax import render_path
from core.errors import UsageError
from core.hosts import HostState
from core.placement.what_if.changes import HostGone, HostInState, VMGone, VMMore
from core.text import natural
from core.units import show_size
from tui.render.cells import Tone
from tui.render.costs.headroom import in_words
from tui.render.costs.ranking import raised_texts
from tui.render.rows import Column, Row
from tui.screens.costs.what_if.base import WhatIfScreen
from tui.screens.costs.what_if.history import without_state
from tui.screens.dialogs.choice import Choice

if TYPE_CHECKING:
    from collections.abc import Hashable

    from core.fleet.fleet import HostSnapshot

MOST_ADDED = 1000
"""VMs that are added at once."""

_ONE_COLUMN = (Column(key="what", title="WHAT IF IT WERE", least=20, most=200, stretch=True),)
_VM_COLUMNS = (
    Column(key="name", title="NAME", least=12, most=50, stretch=True, letter="N"),
    Column(key="vcpus", title="VCPUS", right=True, letter="C", ascending=False),
    Column(key="memory", title="MEMORY", right=True, letter="M", ascending=False),
    Column(key="devices", title="DEVICES", right=True, ascending=False),
)


class HostWhatIfs(WhatIfScreen):
    """The part of the cost explorer that changes hosts and VMs in thought."""

    def action_change_host(self) -> None:
        """Offer what could be otherwise with the host under the cursor."""
        host = self.under_cursor
        if host is None or self.asked is None or self.realms.fleet is None:
            return
        fleet = self.realms.fleet
        snapshot = fleet.host(host)
        if snapshot is None:
            return
        now = self._state_in_thought(snapshot)
        rows = []
        for state in HostState:
            words = f"{state.label}" + (" (as it is)" if state is snapshot.host.state else "")
            rows.append(self._row(("state", state), words, present=now is state))
        rows.append(self._row(("gone",), "gone, with all that runs on it", present=now is None))
        if now is not None:
            request, count = self.asked.request, self.asked.count
            more = "one such VM more" if count == 1 else f"{count} such VMs more"
            rows.append(Row(("more",), (f"  with {more}: {in_words(request)}",)))
            if any(True for _ in snapshot.active_vms()):
                rows.append(Row(("less",), ("  without one of its VMs: choose which",)))
            if settings := self._raised(host):
                words = " and ".join(f"{render_path(setting.path)} = {setting.text}" for setting in settings)
                rows.append(Row(("raised",), (f"  with {words}: then it takes it",)))
        dialog = Choice(f"What if: {host}", "takes it", _ONE_COLUMN, rows, at=("state", now) if now else ("gone",))
        self.app.push_screen(dialog, lambda key: self._change_host(host, key))

    def _state_in_thought(self, snapshot: HostSnapshot) -> HostState | None:
        """Give a host's state with the changes; None where they take it out of the fleet."""
        for change in self.history.changes:
            if isinstance(change, HostGone) and change.host == snapshot.name:
                return None
            if isinstance(change, HostInState) and change.host == snapshot.name:
                return change.state
        return snapshot.host.state

    def _row(self, key: Hashable, words: str, *, present: bool) -> Row:
        return Row(
            key,
            (
                (
                    (
                        ("\N{BLACK RIGHT-POINTING SMALL TRIANGLE} " if present else "  ") + words,
                        Tone.STRONG if present else Tone.PLAIN,
                    ),
                ),
            ),
        )

    def _change_host(self, host: str, key: Hashable | None) -> None:
        fleet = self.realms.fleet
        snapshot = fleet.host(host) if fleet is not None else None
        if snapshot is None or self.asked is None:
            return
        match key:
            case ("state", HostState() as state) if state is snapshot.host.state:
                self.history.become(without_state(self.history.changes, host))
                self._changed()
            case ("state", HostState() as state):
                self._make(HostInState(host, state))
            case ("gone",):
                self._make(HostGone(host))
            case ("more",):
                self._try(VMMore(host, self.asked.request, self.asked.count))
            case ("less",):
                self._choose_vm(host)
            case ("raised",):
                self._make(*self._raised(host))
            case _:
                return

    def _try(self, *changes: VMMore) -> None:
        """Make changes of VMs, unless there are no devices for them."""
        if self.exploration is None:
            return
        if sum(change.count for change in changes) > MOST_ADDED:
            self.realms.tell(f"{MOST_ADDED} VMs are added at once at most.", "warning")
            return
        try:
            fleet = self.exploration.fleet
            for change in changes:
                fleet = change.apply(self.exploration.configuration, fleet)
        except UsageError as error:
            self.realms.tell(error.message, "error", hint=error.hint)
            return
        self._make(*changes)

    def _choose_vm(self, host: str) -> None:
        """Ask which VM would be gone."""
        snapshot = self.realms.fleet.host(host) if self.realms.fleet is not None else None
        if snapshot is None:
            return
        gone = {change.key for change in self.history.changes if isinstance(change, VMGone)}
        rows = [
            Row(
                vm.key,
                (vm.name, str(vm.vcpus), show_size(vm.memory_bytes), str(len(vm.devices)) if vm.devices else "-"),
                (natural(vm.name), vm.vcpus, vm.memory_bytes, len(vm.devices)),
            )
            for vm in snapshot.active_vms()
            if vm.key not in gone
        ]
        names = {vm.key: vm.name for vm in snapshot.active_vms()}

        def without(key: Hashable | None) -> None:
            if isinstance(key, tuple) and key in names:
                self._make(VMGone((str(key[0]), str(key[1])), names[(str(key[0]), str(key[1]))]))

        dialog = Choice(
            f"What if: {host} without one of these",
            "takes it away",
            _VM_COLUMNS,
            rows,
            empty="Nothing runs there.",
        )
        self.app.push_screen(dialog, without)

    def _raised(self, host: str) -> tuple[Setting, ...]:
        """Give the limits that stand in the way of a refused host, raised; none where that is not what it needs."""
        texts = raised_texts(self.exploration, host) if self.exploration is not None else ()
        return tuple(map(Setting.parse, texts))

    def action_add_vms(self) -> None:
        """Let the VMs of the request run where placement puts them."""
        if self.exploration is None or self.asked is None:
            return
        numbers = self.exploration.placed_on
        if not numbers:
            self.realms.tell("No host can take it: there is nowhere to add it.", "warning")
            return
        self._try(*(VMMore(host, self.exploration.request, number) for host, number in numbers.items()))
