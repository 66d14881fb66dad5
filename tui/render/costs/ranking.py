"""The cost explorer in words and rows: who wins, by how much, what decides, and why the others are refused."""

from collections import Counter
from collections.abc import Iterable, Mapping

from core.codes import Why
from core.config.syntax import render_path
from core.curves import INFINITY
from core.placement.engine.raised_limits import raised_limits
from core.placement.engine.remedies import remedy
from core.placement.engine.verdicts import Verdict
from core.placement.what_if.comparison import HostCompared
from core.text import natural
from tui.render.cells import Cell, Tone, plain
from tui.render.costs.exploration import Exploration
from tui.render.costs.headroom import MOST
from tui.render.costs.parameters import SECTION, number_text, size_text
from tui.render.costs.refusals import short_name, why
from tui.render.costs.remedies import NOTHING_HELPS, ways
from tui.render.costs.what_if import Counted, difference, digits_of, fits_cell, remark_before, was
from tui.render.figures import cost_text, decimals
from tui.render.rows import Column, Row

_NAMED_HOSTS = 6
"""Hosts that a sentence names before it counts the rest."""

OFFSET = "offset"
"""The summand of a cost that is no term."""

_SMALLEST_SHARE = 1e-6

_NEEDED = 95
"""Priority of a scale or an offset that counts: hidden after what only repeats, before the terms."""


def headline(exploration: Exploration) -> str:
    """Return who takes the VM, by how much, and what decides."""
    hosts, able = len(exploration.placements.verdicts), len(exploration.ranked)
    if not hosts:
        return "No hosts"
    if not able:
        subject = "The only host can't" if hosts == 1 else f"None of {hosts} hosts can"
        return f"{subject} take it: {_reasons(exploration.refused)}"
    best = exploration.ranked[0]
    if hosts == 1:
        return f"The only host, {best.host}, can take it"
    if able == 1:
        return f"Only {best.host} of {hosts} hosts can take it"
    return f"{able} of {hosts} hosts can take it: best {best.host}, {_lead(best, exploration.ranked[1])}"


def _lead(best: Verdict, second: Verdict) -> str:
    """Compare the best host with the next; ties are decided as section 8 of the specification says."""
    totals = (best.cost.total, second.cost.total) if best.cost and second.cost else (0.0, 0.0)
    lead = totals[1] - totals[0]
    if lead > 0:
        amount = cost_text(lead, decimals((*totals, 0.0, lead)))
        return f"{amount} cheaper than {second.host} ({short_name(_deciding(best, second))} decides)"
    if best.rise != second.rise:
        tie = "smaller rise decides"
    elif best.use is not None and second.use is not None and best.use.vms != second.use.vms:
        tie = "fewer VMs decide"
    else:
        tie = "name decides"
    return f"as cheap as {second.host} ({tie})"


def deciding(exploration: Exploration) -> str | None:
    """Name the attribute that puts the best host before the next; None where no single one does."""
    if len(exploration.ranked) < 2:
        return None
    best, second = exploration.ranked[:2]
    if best.cost is None or second.cost is None or best.cost.total == second.cost.total:
        return None
    attribute = _deciding(best, second)
    return attribute if attribute in exploration.attributes else None


def _deciding(best: Verdict, second: Verdict) -> str:
    """Find the summand by which the second host falls behind most."""
    return max(_shares(second, best).items(), key=lambda share: share[1])[0]


def _shares(host: Verdict, other: Verdict) -> dict[str, float]:
    """Split the difference of two costs into its summands: each term with its function's scale, and the offset."""
    shares: dict[str, float] = {}
    for verdict, sign in ((host, 1.0), (other, -1.0)):
        scale = verdict.scale if verdict.scale is not None else 1.0
        for term in verdict.terms:
            shares[term.attribute] = shares.get(term.attribute, 0.0) + sign * term.cost * scale
        shares[OFFSET] = shares.get(OFFSET, 0.0) + sign * (verdict.offset or 0.0)
    return shares


def remark(exploration: Exploration, host: str) -> str:
    """Return why a host stands where it does: its lead or lag split into summands, or every reason against it.

    Then, each on a line of its own, what would make a refused host take the VM, and how it stood without the changes
    of a what-if.
    """
    verdict = exploration.verdict(host)
    if verdict is None:
        return ""
    said = [_standing(exploration, verdict)]
    if verdict.refusal is not None:
        said += _ways(exploration, verdict)
    said.append(remark_before(exploration.compared.get(host)))
    return "\n".join(filter(None, said))


def _ways(exploration: Exploration, verdict: Verdict) -> list[str]:
    """Say what would make a refused host take the VM: with its VMs, the request, and then its cost function changed."""
    snapshot = exploration.fleet.host(verdict.host)
    if snapshot is None:
        return []
    found = remedy(exploration.configuration, exploration.fleet, exploration.request, snapshot)
    told = list(ways(found, exploration.request)) if found is not None else []
    if told == [NOTHING_HELPS]:
        told = []
    said = [f"What would help: {'; '.join(told)}."] if told else []
    limits = raised_texts(exploration, verdict.host)
    if limits:
        shown = " and ".join(text.removeprefix(f"{SECTION}.") for text in limits)
        said.append(f"{'Or with' if said else 'What would help:'} {shown} (press h to try).")
    return said


def raised_texts(exploration: Exploration, host: str) -> tuple[str, ...]:
    """Write the limits that stand in the way of a refused host as settings, raised as far as the VM needs.

    None where that is not what it needs.
    """
    verdict, close_up = exploration.verdict(host), exploration.close_up(host)
    if verdict is None or verdict.cost is None or close_up is None or close_up.function is None:
        return ()
    if any(reason.why is not Why.COST_INFINITE for reason in verdict.reasons):
        return ()
    written = []
    for limit in raised_limits(verdict.cost):
        in_units = limit.attribute == "memory" and limit.path[-1] != "max"
        value = size_text(int(limit.least)) if in_units else number_text(limit.least)
        written.append(f"{render_path((SECTION, close_up.function.id, *limit.path))} = {value}")
    return tuple(written)


def _standing(exploration: Exploration, verdict: Verdict) -> str:
    if verdict.refusal is not None:
        first, *others = (reason.message for reason in verdict.reasons)
        return f"Refused: {first}" + "".join(f"; also {other}" for other in others)
    if len(exploration.ranked) < 2:
        return "No other host can take it."
    best = exploration.ranked[0]
    other = exploration.ranked[1] if verdict is best else best
    if verdict.cost is None or other.cost is None:
        return ""
    lag = verdict.cost.total - other.cost.total
    shares = sorted(_shares(verdict, other).items(), key=lambda share: -abs(share[1]))
    told = [(short_name(name), share) for name, share in shares if abs(share) >= _SMALLEST_SHARE]
    digits = decimals((0.0, lag, *(share for _, share in told)))
    parts = ", ".join(f"{name} {cost_text(share, digits, signed=True)}" for name, share in told)
    if lag == 0:
        return f"As cheap as {other.host}" + (f": {parts}" if parts else "")
    word = "cheaper" if lag < 0 else "more expensive"
    decides = f"; {short_name(_deciding(verdict, other))} decides" if verdict is best and len(told) > 1 else ""
    return f"{cost_text(abs(lag), digits)} {word} than {other.host}" + (f": {parts}{decides}" if parts else "")


def _reasons(refused: Iterable[Verdict]) -> str:
    """Count the deciding reasons, the most frequent first: `memory infinite on 3, not connected on 2`."""
    counted = Counter(why(verdict.refusal) for verdict in refused if verdict.refusal is not None)
    if len(counted) == 1:
        return next(iter(counted))
    return ", ".join(f"{reason} on {number}" for reason, number in counted.most_common())


def where_they_go(exploration: Exploration) -> str:
    """Return which hosts take how many of several VMs, and what stops the next; empty for one VM."""
    if exploration.count == 1:
        return ""
    numbers = exploration.placed_on
    named = [f"{number} on {host}" for host, number in list(numbers.items())[:_NAMED_HOSTS]]
    if len(numbers) > _NAMED_HOSTS:
        rest = sum(list(numbers.values())[_NAMED_HOSTS:])
        named.append(f"{rest} on {len(numbers) - _NAMED_HOSTS} more hosts")
    placed, count = exploration.placements.placed, exploration.count
    if not placed:
        return f"None of {count} VMs can be placed"
    if exploration.placements.complete:
        return f"All {count} VMs can be placed: {', '.join(named)}"
    stopped = _reasons(exploration.placements.stopped_by)
    return f"{placed} of {count} VMs can be placed: {', '.join(named)}. Next: {stopped}"


_WHAT_IF_COLUMNS = (
    Column(key="was", title="WAS", right=True, least=6, most=18),
    Column(key="differs", title="CHANGE", least=8, most=24, priority=1),
)
"""What differs by the changes of a what-if."""


def ranking_columns(exploration: Exploration) -> tuple[Column, ...]:
    """Columns of the ranking: a column for each term, then what makes a total of them.

    Where the table is narrow, a scale and an offset that change nothing go first, then devices, then other terms.
    """
    scaled = any(verdict.scale != 1.0 for verdict in exploration.ranked)
    shifted = any(verdict.offset != 0.0 for verdict in exploration.ranked)
    terms = [
        Column(key=attribute, title=short_name(attribute), right=True, least=4, most=12, priority=priority)
        for priority, attribute in enumerate(exploration.attributes, start=2)
    ]
    several = len(exploration.configuration.realms) > 1
    return (
        Column(key="host", title="HOST", least=4, most=30),
        *((Column(key="realm", title="REALM", least=4, most=16, priority=96),) if several else ()),
        *((Column(key="takes", title="TAKES", right=True, least=3),) if exploration.count > 1 else ()),
        Column(key="total", title="TOTAL", right=True, least=5, most=14),
        *(_WHAT_IF_COLUMNS if exploration.before is not None else ()),
        Column(key="rise", title="RISE", right=True, least=5, most=14, priority=1),
        Column(key="fits", title="FITS", right=True, least=4, most=11, priority=97, ascending=False),
        *terms,
        Column(key="scale", title="SCALE", right=True, least=4, most=10, priority=_NEEDED if scaled else 99),
        Column(key="offset", title="OFFSET", right=True, least=5, most=14, priority=_NEEDED if shifted else 98),
    )


def ranking_rows(exploration: Exploration, fits: Mapping[str, int], before: Counted | None = None) -> tuple[Row, ...]:
    """Rows of the hosts that can take the VM, best first; the term that decides stands out in the best one.

    `fits` is how many such VMs each host takes, as far as that is counted; `before` what it was without the changes.
    """
    digits = max(
        decimals(verdict.cost.total for verdict in exploration.ranked if verdict.cost is not None),
        decimals([0.0, *(verdict.rise for verdict in exploration.ranked if verdict.rise is not None)]),
    )
    most_digits = digits_of(exploration) if exploration.before is not None else digits
    decides = deciding(exploration)
    several = len(exploration.configuration.realms) > 1
    rows = []
    for position, verdict in enumerate(exploration.ranked):
        total = verdict.cost.total if verdict.cost is not None else INFINITY
        rise = verdict.rise or 0.0
        takes = exploration.placed_on.get(verdict.host, 0)
        best = position == 0
        terms = {term.attribute: term for term in verdict.terms}
        cells: list[Cell] = [((verdict.host, Tone.STRONG if best else Tone.PLAIN),)]
        order: list[float | str | tuple[tuple[int, int, str], ...] | None] = [natural(verdict.host)]
        if several:
            cells.append(verdict.realm)
            order.append(verdict.realm)
        if exploration.count > 1:
            cells.append(((f"{takes}", Tone.ACCENT),) if takes else (("-", Tone.DIM),))
            order.append(float(takes))
        cells.append(((cost_text(total, digits), Tone.STRONG),))
        order.append(total)
        if exploration.before is not None:
            compared = exploration.compared.get(verdict.host)
            text, value = was(compared, most_digits)
            cells += [text, difference(compared, most_digits)]
            order += [value, compared is None or not compared.differs]
        cells += [cost_text(rise, digits, signed=True), _fits(verdict.host, fits, before)]
        order += [rise, fits.get(verdict.host)]
        for attribute in exploration.attributes:
            term = terms.get(attribute)
            stands_out = best and attribute == decides
            if term is None or term.curve is None:
                cells.append((("-", Tone.DIM),))
                order.append(None)
            else:
                cells.append(((cost_text(term.cost), Tone.GOOD if stands_out else Tone.PLAIN),))
                order.append(term.cost)
        scale, offset = verdict.scale or 0.0, verdict.offset or 0.0
        cells += [_quiet(cost_text(scale, 2), scale != 1.0), _quiet(cost_text(offset), offset != 0.0)]
        order += [scale, offset]
        rows.append(Row(key=verdict.host, cells=tuple(cells), order=tuple(order)))
    return tuple(rows)


def _fits(host: str, fits: Mapping[str, int], before: Counted | None) -> Cell:
    was_there = None if before is None else before.fits.get(host, 0)
    text, differs = fits_cell(was_there, fits.get(host))
    return ((text, Tone.ACCENT),) if differs else text


def capacity(exploration: Exploration, fits: Mapping[str, int], before: Counted | None = None) -> str:
    """Return how many such VMs fit on all hosts together: `57 such VMs fit`; empty while that is being counted."""
    if before is not None:
        total = sum(fits.values())
        return f"{total} fit, unchanged" if total == before.total else f"{before.total} → {total} fit"
    counted = [fits.get(verdict.host) for verdict in exploration.ranked]
    if not counted or None in counted:
        return "" if counted or not exploration.refused else "none fit"
    numbers = [number for number in counted if number is not None]
    total = sum(numbers)
    return f"{total}{'+' if max(numbers) >= MOST else ''} more fit"


def _quiet(text: str, counts: bool) -> Cell:
    return ((text, Tone.PLAIN if counts else Tone.DIM),)


REFUSED_COLUMNS = (
    Column(key="host", title="HOST", least=4, most=30),
    Column(key="why", title="WHY", least=16, most=24),
    Column(key="reason", title="REASON", least=10, most=400, stretch=True),
)


REFUSED_COLUMNS_WHAT_IF = (
    *REFUSED_COLUMNS[:2],
    Column(key="before", title="BEFORE", least=6, most=18),
    REFUSED_COLUMNS[2],
)
"""What a what-if tells of them besides."""


def _before(compared: HostCompared | None) -> Cell:
    """Return of a host that can't take the VM how it stood without the changes of a what-if."""
    if compared is None or not compared.differs:
        return (("same", Tone.DIM),)
    if compared.rank_before is not None:
        return ((f"was #{compared.rank_before}", Tone.ACCENT),)
    refusals = [each.refusal for each in (compared.before, compared.after) if each is not None and each.refusal]
    words = [why(refusal) for refusal in refusals]
    said = "other amounts" if len(words) == 2 and words[0] == words[1] else words[0] if words else "absent"
    return ((said, Tone.ACCENT),)


def refused_rows(exploration: Exploration) -> tuple[Row, ...]:
    """Rows of the hosts that can't take the VM, each with the deciding reason, its numbers, and what else speaks.

    In a what-if, hosts that it takes out of the fleet come last.
    """
    what_if = exploration.before is not None
    rows = []
    for verdict in exploration.refused:
        reasons = verdict.reasons
        message: tuple[tuple[str, Tone], ...] = ((reasons[0].message, Tone.PLAIN),)
        if len(reasons) > 1:
            message = (*message, (f"; also {', '.join(why(reason) for reason in reasons[1:])}", Tone.DIM))
        said: tuple[Cell, ...] = (_before(exploration.compared.get(verdict.host)),) if what_if else ()
        cells: tuple[Cell, ...] = (verdict.host, ((why(reasons[0]), Tone.WARN),), *said, message)
        order = (natural(verdict.host), why(reasons[0]), *((plain(said[0]),) if said else ()), reasons[0].message)
        rows.append(Row(verdict.host, cells, order))
    for verdict in exploration.dropped:
        name, reason = verdict.host, "removed by this what-if"
        before = _before(exploration.compared[name])
        cells = (name, (("dropped", Tone.WARN),), before, reason)
        rows.append(Row(name, cells, (natural(name), "dropped", plain(before), reason)))
    return tuple(rows)
