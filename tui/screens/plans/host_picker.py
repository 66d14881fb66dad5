"""A list of hosts, to choose one from that is to be drained."""

from typing import ClassVar

from core.fleet.fleet import Fleet, HostSnapshot
from core.text import natural
from tui.render.rows import Column, Row
from tui.screens.dialogs.picker import Picker

_COLUMNS = (
    Column(key="host", title="HOST", least=8, most=40, stretch=True, letter="N"),
    Column(key="state", title="STATE", least=8, most=16, letter="S"),
    Column(key="vms", title="ACTIVE VMS", right=True, least=4, letter="V", ascending=False),
)


class HostPicker(Picker):
    """Gives the name of a host, None where none was wanted."""

    CSS_PATH: ClassVar = ["../dialogs/dialogs.tcss", "plans.tcss"]
    LISTING: ClassVar = "dialog"

    def __init__(self, fleet: Fleet, chosen: str) -> None:
        rows = [_row(snapshot) for snapshot in fleet.hosts]
        super().__init__("Drain which host?", "drainable", _COLUMNS, rows, empty="No hosts.", chosen=chosen)


def _row(snapshot: HostSnapshot) -> Row:
    name, state, active = snapshot.name, snapshot.host.state.label, len(list(snapshot.active_vms()))
    known = str(active) if snapshot.is_known else "?"
    order = (natural(name), state, active if snapshot.is_known else None)
    return Row(name, (name, state, known), order, dim=not snapshot.is_known)
