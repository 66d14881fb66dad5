"""What a change of hosts will do, said before it is done."""

from collections.abc import Sequence

from core.fleet.fleet import Connection, HostSnapshot
from core.hosts import HostState
from core.text import plural
from core.units import show_age
from tui.render.cells import Tone
from tui.render.question import Line, Question

MOST_NAMED = 8
"""Hosts that a dialog describes one by one; the rest are counted."""

_REMOVED = (
    "The host is removed from the registry. Its VMs keep running, unmonitored. "
    "To take a host down gracefully, set it to No Scheduling first."
)


def names(snapshots: Sequence[HostSnapshot]) -> str:
    """Name hosts in a sentence: "h1, h2 and 3 more"."""
    listed = [snapshot.name for snapshot in snapshots]
    if len(listed) > 4:
        return f"{', '.join(listed[:3])} and {len(listed) - 3} more"
    return " and ".join([", ".join(listed[:-1]), listed[-1]] if len(listed) > 1 else listed)


def ask_state(snapshots: Sequence[HostSnapshot], state: HostState, now: float) -> Question:
    """Ask before the state of hosts is changed."""
    titles = {
        HostState.ENABLED: f"Enable {names(snapshots)}?",
        HostState.NO_SCHEDULING: f"Set {names(snapshots)} to No Scheduling?",
        HostState.DISABLED: f"Disable {names(snapshots)}?",
    }
    verbs = {HostState.ENABLED: "Enable", HostState.NO_SCHEDULING: "Set No Scheduling", HostState.DISABLED: "Disable"}
    told = {
        HostState.ENABLED: "Connects to the host. It accepts new VMs.",
        HostState.NO_SCHEDULING: "The host accepts no new VMs. Its VMs keep running and can still be managed.",
        HostState.DISABLED: "Closes the connection: the host is no longer monitored or used. Its VMs keep running, "
        "but their state is unknown and they cannot be managed.",
    }
    lines = [*_each(snapshots, lambda snapshot: _state_line(snapshot, state, now)), (), ((told[state], Tone.MUTED),)]
    return Question(titles[state], tuple(lines), verbs[state], destructive=state is HostState.DISABLED)


def _state_line(snapshot: HostSnapshot, state: HostState, now: float) -> Line:
    head: Line = ((snapshot.name, Tone.STRONG), (f"  {snapshot.host.state.label}  ", Tone.MUTED))
    if state is HostState.DISABLED:
        active = sum(1 for _ in snapshot.active_vms())
        if not snapshot.is_known:
            return (*head, ("VMs unknown: no answer yet", Tone.WARN))
        if not active:
            return (*head, (f"no running VMs{_as_of(snapshot, now)}", Tone.PLAIN))
        verb = "keeps running, unmonitored" if active == 1 else "keep running, unmonitored"
        return (*head, (f"{plural(active, 'VM')} {verb}{_as_of(snapshot, now)}", Tone.WARN), *_starting(snapshot))
    if not snapshot.host.state.connects:
        return (*head, (f"connects to {snapshot.host.uri}", Tone.PLAIN))
    return (*head, (_vms(snapshot, now), Tone.PLAIN), *_starting(snapshot))


def ask_removal(snapshots: Sequence[HostSnapshot], now: float) -> Question:
    """Ask before hosts are removed from the registry; the name of one, or the number of several, must be typed."""
    several = len(snapshots) > 1
    lines = [*_each(snapshots, lambda snapshot: _removal_line(snapshot, now)), (), ((_REMOVED, Tone.MUTED),)]
    return Question(
        f"Remove {names(snapshots)}?",
        tuple(lines),
        "Remove",
        destructive=True,
        to_type=f"{len(snapshots)} hosts" if several else snapshots[0].name,
    )


def _removal_line(snapshot: HostSnapshot, now: float) -> Line:
    active = sum(1 for _ in snapshot.active_vms())
    tone = Tone.WARN if active or not snapshot.is_known else Tone.PLAIN
    head: Line = ((snapshot.name, Tone.STRONG), (f"  {snapshot.host.uri}  ", Tone.MUTED))
    return (*head, (_vms(snapshot, now), tone), *_starting(snapshot))


def _each(snapshots: Sequence[HostSnapshot], describe: object) -> list[Line]:
    lines = [describe(snapshot) for snapshot in snapshots[:MOST_NAMED]]  # type: ignore[operator]
    if len(snapshots) > MOST_NAMED:
        rest = snapshots[MOST_NAMED:]
        running = sum(sum(1 for _ in snapshot.active_vms()) for snapshot in rest)
        lines.append(((f"and {len(rest)} more hosts, with {plural(running, 'running VM')}", Tone.PLAIN),))
    return lines


def _vms(snapshot: HostSnapshot, now: float) -> str:
    if not snapshot.is_known:
        return "VMs unknown: no answer yet"
    active = sum(1 for _ in snapshot.active_vms())
    off = len(snapshot.vms) - active
    running = plural(active, "VM") + " running" if active else "no running VMs"
    return running + (f", {off} shut off" if off else "") + _as_of(snapshot, now)


def _as_of(snapshot: HostSnapshot, now: float) -> str:
    """Return when figures were true, where that isn't now."""
    age = snapshot.age(now)
    if age is None or snapshot.connection is Connection.CONNECTED:
        return ""
    return f" (last seen {show_age(age)} ago)"


def _starting(snapshot: HostSnapshot) -> Line:
    pending = snapshot.pending_reservations()
    if not pending:
        return ()
    verb = "is" if len(pending) == 1 else "are"
    return ((f"; {plural(len(pending), 'VM')} {verb} starting there", Tone.WARN),)
