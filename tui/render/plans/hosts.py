"""The plans that have a row for each host: how many more VMs fit, and what the loss of each would mean."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from core.placement.plans.capacity import Capacity, HostCapacity
from core.placement.plans.demand import Stuck
from core.placement.plans.failure import FailureCheck, HostLoss
from core.text import natural, plural
from core.units import show_size
from tui.render.cells import Cell, Piece, Tone
from tui.render.costs.refusals import short_name, why
from tui.render.plans.sheet import Detail, PlanView, asked_for, more_vms, said
from tui.render.rows import Column, Row

NO_LIMIT = "no limit"
NO_HOSTS = "No hosts yet: add one in Hosts (1)."

_CAPACITY = (
    Column(key="host", title="HOST", least=8, most=32, letter="N"),
    Column(key="realm", title="REALM", least=6, most=16, letter="R", priority=4),
    Column(key="fits", title="FITS", right=True, least=5, letter="F", ascending=False),
    Column(key="stop", title="LIMITED BY", least=10, most=24, letter="S"),
    Column(key="left", title="LEFT OVER", least=10, most=48, priority=2, stretch=True),
    Column(key="why", title="WHY", most=200, wide_only=True),
)
FAILURE_COLUMNS = (
    Column(key="host", title="HOST", least=8, most=32, letter="N"),
    Column(key="loss", title="N-1", least=12, most=16, letter="L"),
    Column(key="unplaced", title="UNPLACED", right=True, least=8, also="homeless", letter="U", ascending=False),
    Column(key="placed", title="PLACED", right=True, least=6, letter="P", ascending=False),
    Column(key="which", title="WHICH", least=10, most=200, stretch=True, priority=1),
)


def capacity_columns(realms: int) -> tuple[Column, ...]:
    """Return the columns; with one realm, whose a host is goes without saying."""
    one = realms < 2
    return tuple(replace(each, wide_only=one or each.wide_only) if each.key == "realm" else each for each in _CAPACITY)


def capacity_sheet(capacity: Capacity) -> PlanView:
    """Show how many more VMs fit on each host, and what stops the next."""
    hosts = sorted(capacity.hosts, key=lambda host: natural(host.host))
    heading = f"Capacity for {asked_for(capacity.request)}"
    if not hosts:
        return PlanView(heading=heading, said=said("No hosts"), empty=NO_HOSTS)
    able = sum(host.fits != 0 for host in hosts)
    first = f"{more_vms(capacity.total, capacity.request)} fit, on {able} of {plural(len(hosts), 'host')}"
    if capacity.total == 0:
        first = f"No VM of {asked_for(capacity.request)} fits"
    tone = Tone.STRONG if capacity.total != 0 else Tone.WARN
    return PlanView(
        heading=heading,
        said=said(first, _realms(capacity), _stops(hosts), tone=tone),
        rows=tuple(_capacity_row(host) for host in hosts),
        details={host.host: _capacity_detail(host) for host in hosts},
    )


def _realms(capacity: Capacity) -> str:
    realms = capacity.by_realm()
    if len(realms) < 2:
        return ""
    told = ", ".join(f"{realm} {NO_LIMIT if fits is None else fits}" for realm, fits in realms.items())
    return f"By realm: {told}"


def _stops(hosts: Iterable[HostCapacity]) -> str:
    counted = Counter(why(host.stopped_by) for host in hosts if host.stopped_by is not None)
    return f"Next VM refused: {', '.join(f'{it} on {on}' for it, on in counted.most_common())}" if counted else ""


def left_text(left: Mapping[str, int]) -> str:
    """Write what would be left of each attribute that has a limit."""
    return ", ".join(
        f"{short_name(name)} {show_size(amount) if name == 'memory' else amount}" for name, amount in left.items()
    )


def _capacity_row(host: HostCapacity) -> Row:
    fits: Cell = NO_LIMIT if host.fits is None else ((str(host.fits), Tone.PLAIN if host.fits else Tone.WARN),)
    stop = why(host.stopped_by) if host.stopped_by is not None else "-"
    message = host.stopped_by.message if host.stopped_by is not None else ""
    left = left_text(host.left) or "-"
    order = (natural(host.host), natural(host.realm), 2.0**62 if host.fits is None else host.fits, stop, left, message)
    return Row(host.host, (host.host, host.realm, fits, stop, left, message), order, dim=_by_state(host))


def _by_state(host: HostCapacity) -> bool:
    return host.fits == 0 and not host.left


def _capacity_detail(host: HostCapacity) -> Detail:
    fits = NO_LIMIT if host.fits is None else f"fits {host.fits} more"
    paragraphs: list[Piece] = []
    if host.stopped_by is None:
        paragraphs.append(("No limit: no term of its cost becomes infinite.", Tone.PLAIN))
    else:
        lead = "Refused: " if _by_state(host) else "Next VM refused: "
        paragraphs.append((lead + host.stopped_by.message, Tone.PLAIN))
    if host.left:
        paragraphs.append((f"Left over: {left_text(host.left)}", Tone.MUTED))
    return Detail(((host.host, Tone.STRONG), (f"  {fits}", Tone.MUTED)), tuple(paragraphs))


def failure_sheet(check: FailureCheck) -> PlanView:
    """Show what the loss of each host would mean, the worst first."""
    hosts = sorted(
        check.hosts, key=lambda loss: (-len(loss.homeless), loss.survives is not None, natural(loss.host))
    )  # fmt: skip
    heading = "Host failure (N-1)"
    if not hosts:
        return PlanView(heading=heading, said=said("No hosts"), empty=NO_HOSTS)
    fatal = [loss for loss in hosts if loss.survives is False]
    if fatal:
        worst = fatal[0]
        subject = "Loss of 1 host leaves" if len(fatal) == 1 else f"Loss of any of {len(fatal)} hosts leaves"
        first = f"{subject} VMs unplaced: worst {worst.host}, {len(worst.homeless)} unplaced"
    elif len(check.unknown) == len(hosts):
        first = "Unknown: no host reports its VMs"
    else:
        first = "Any single host can be lost: all known VMs fit elsewhere"
    unknown = f"{plural(len(check.unknown), 'host')} unknown" if check.unknown else ""
    how = "VMs are placed on the other hosts, largest first; stopped VMs are not counted"
    return PlanView(
        heading=heading,
        said=said(first, unknown or how, tone=Tone.WARN if fatal else Tone.STRONG),
        rows=tuple(_loss_row(loss) for loss in hosts),
        details={loss.host: _loss_detail(loss) for loss in hosts},
    )


def _loss_row(loss: HostLoss) -> Row:
    homeless = len(loss.homeless)
    word: Cell
    if loss.survives is None:
        word = (("unknown", Tone.WARN),)
    elif loss.survives:
        word = (("OK", Tone.GOOD), (" ?" if loss.note else "", Tone.WARN))
    else:
        word = (("at risk", Tone.BAD), (" ?" if loss.note else "", Tone.WARN))
    numbers = ("-", "-") if loss.survives is None else (str(homeless), str(loss.placed))
    told = ", ".join(stuck.vm.name for stuck in loss.homeless) or loss.note
    rank = 0 if loss.survives is False else 1 if loss.survives is None else 2
    order = (natural(loss.host), rank, homeless if loss.survives is not None else None, loss.placed, told)
    return Row(loss.host, (loss.host, word, *numbers, told), order, dim=loss.survives is None)


def _loss_detail(loss: HostLoss) -> Detail:
    paragraphs: list[Piece] = [(f"Note: {loss.note}", Tone.WARN)] if loss.note else []
    if loss.survives is True:
        nothing = "No running VMs."
        paragraphs.append(
            (f"{plural(loss.placed, 'VM')} would be placed elsewhere." if loss.placed else nothing, Tone.PLAIN)
        )
    paragraphs += homeless_paragraphs(loss.homeless)
    word = {True: "OK", False: f"{plural(len(loss.homeless), 'VM')} unplaced", None: "unknown"}[loss.survives]
    tone = Tone.BAD if loss.survives is False else Tone.MUTED
    return Detail(
        (("If ", Tone.MUTED), (loss.host, Tone.STRONG), (" fails  ", Tone.MUTED), (word, tone)), (*paragraphs,)
    )


def homeless_paragraphs(homeless: Iterable[Stuck]) -> list[Piece]:
    """Name VMs without a place, those with the same reason together."""
    by_reason: dict[str, list[str]] = {}
    for stuck in homeless:
        size = f"{stuck.vm.vcpus} vCPU {show_size(stuck.vm.memory_bytes)}"
        by_reason.setdefault(stuck.message, []).append(f"{stuck.vm.name} ({size})")
    return [
        piece
        for message, names in by_reason.items()
        for piece in ((", ".join(names), Tone.STRONG), (message, Tone.MUTED))
    ]
