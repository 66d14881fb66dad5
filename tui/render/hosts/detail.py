"""One host in detail: its cost by term, its VMs, its pools, and what is wrong with it."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from core.config.model import Configuration
from core.costs import Term
from core.fleet.fleet import VM, PoolState
from core.placement.engine.request import Request
from core.realms import Realm
from core.text import natural, one_line, plural
from core.units import show_age, show_size
from tui.render.ages import Freshness, connection_text
from tui.render.cells import Piece, Tone, bar_pieces, lay_out, width_of
from tui.render.costs.headroom import room_line
from tui.render.figures import cost_text
from tui.render.hosts.findings import checkup_lines
from tui.render.hosts.table import HostFigures, connection_tone
from tui.render.vms.table import VM_TONES
from tui.state.checkups import HostCheckup

Line = tuple[Piece, ...]

_DOT = (" \N{MIDDLE DOT} ", Tone.DIM)
_POOL_TONES = {PoolState.ACTIVE: Tone.GOOD, PoolState.INACTIVE: Tone.WARN, PoolState.MISSING: Tone.BAD}
_COST_WIDTH = 46
_BETWEEN = ("    ", Tone.PLAIN)
_MOST_ERROR_LINES = 3
_SIDE_BY_SIDE = 96
"""Columns from which on the cost and the VMs stand side by side."""


@dataclass(frozen=True, slots=True)
class HostDetail:
    """What the panel shows of one host; drawn anew for each size."""

    host: HostFigures
    now: float
    configuration: Configuration
    with_vms: bool = True
    checkup: HostCheckup | None = None
    """What the doctor found there last."""
    request: Request | None = None
    """The VM that room is told for; None: it isn't."""

    def title(self) -> Line:
        """Name the host, where it is, how it stands, and its cost."""
        snapshot = self.host.snapshot
        dash = (" \N{BOX DRAWINGS LIGHT HORIZONTAL} ", Tone.DIM)
        line: list[Piece] = [(snapshot.name, Tone.STRONG), dash, (snapshot.host.uri, Tone.MUTED)]
        if self.host.freshness is not Freshness.LIVE:
            text = connection_text(snapshot, self.now, self.configuration.realms)
            line += [dash, (text, connection_tone(self.host))]
        if self.host.cost is not None:
            line += [dash, (f"cost {cost_text(self.host.cost.total)}", Tone.STRONG)]
        return tuple(line)

    def lines(self, width: int, height: int) -> tuple[Line, ...]:
        """Lay out the detail; what there is no room for is left out from the end of the VMs."""
        trouble, pools = self._trouble(width), self._pools()
        others = len(self._cost(_COST_WIDTH)) + len(trouble) + len(pools) + (self.checkup is not None)
        has_room = others < height
        bottom = [*trouble, *(self._room() if has_room else ()), *pools]
        bottom += self._found(width, height - len(bottom))
        top = max(0, height - len(bottom))
        if not self.with_vms:
            return (*_side_by_side(self._cost(min(width, _COST_WIDTH)), self._facts(), width, top), *bottom)
        if width < _SIDE_BY_SIDE:
            cost = self._cost(min(width, 64))[:top]
            return (*cost, *self._vms(width, top - len(cost)), *bottom)
        vms = self._vms(width - _COST_WIDTH - len(_BETWEEN[0]), top)
        return (*_side_by_side(self._cost(_COST_WIDTH), vms, width, top), *bottom)

    def needed_height(self, width: int) -> int:
        """Count the lines that the detail takes without its VMs."""
        cost = len(self._cost(_COST_WIDTH))
        found = len(self._found(width, 1000))
        below = len(self._trouble(width)) + len(self._room()) + len(self._pools())
        return max(cost, len(self._facts())) + below + found

    def _trouble(self, width: int) -> list[Line]:
        host = self.host
        snapshot = host.snapshot
        lines: list[Line] = []
        if snapshot.error and host.freshness is not Freshness.OFF:
            wrapped = textwrap.wrap(one_line(snapshot.error), max(20, width))
            lines += [((text, Tone.BAD),) for text in wrapped[:_MOST_ERROR_LINES]]
        if host.profile is None:
            why = f"hardware profile {snapshot.host.profile} is not in the configuration: the host cannot be scheduled"
            lines.append(((one_line(why), Tone.BAD),))
        if snapshot.host.realm not in self.configuration.realms:
            lines.append(((one_line(f"realm {snapshot.host.realm} is not in the configuration"), Tone.BAD),))
        return lines

    def _room(self) -> list[Line]:
        if self.request is None or not self.host.freshness.is_current:
            return []
        told = room_line(self.configuration, self.host.snapshot, self.now, self.request)
        return [(("Fits   ", Tone.MUTED), *told)]

    def _pools(self) -> list[Line]:
        realm = self.configuration.realms.get(self.host.snapshot.host.realm)
        pools = self.host.snapshot.pools
        if realm is None or pools is None or self.host.freshness is Freshness.OFF:
            return []
        line: list[Piece] = [("Pools  ", Tone.MUTED)]
        for number, (purpose, name) in enumerate(_named_pools(realm)):
            state = pools.get(name, PoolState.MISSING)
            tone = _POOL_TONES[state] if self.host.freshness.is_current else Tone.DIM
            word = "ok" if state is PoolState.ACTIVE else f"{state.value} ({name})"
            line += [_DOT] if number else []
            line += [(f"{purpose} ", Tone.PLAIN if self.host.freshness.is_current else Tone.DIM), (word, tone)]
        return [tuple(line)]

    def _facts(self) -> list[Line]:
        host, described = self.host, self.host.snapshot.host
        profile = host.profile
        hardware = f"  {plural(profile.cores, 'core')}, {show_size(profile.memory_bytes)}" if profile else ""
        facts = [
            ("Realm", described.realm, ""),
            ("Profile", described.profile, hardware),
            ("State", described.state.label, ""),
        ]
        if described.static_address is not None:
            facts.append(("Static", str(described.static_address), "  base port + last octet"))
        if host.snapshot.machine_uuid:
            facts.append(("Machine", host.snapshot.machine_uuid, ""))
        if pending := host.snapshot.pending_reservations():
            facts.append(("Starting", ", ".join(reservation.vm for reservation in pending), ""))
        return [((f"{name:<10}", Tone.MUTED), (value, Tone.PLAIN), (more, Tone.DIM)) for name, value, more in facts]

    def _found(self, width: int, room: int) -> list[Line]:
        """Return what the doctor found, in what room is left beside the cost, at least in one line."""
        if self.checkup is None:
            return []
        room -= len(self._cost(_COST_WIDTH)) if not self.with_vms else min(5, len(self._cost(_COST_WIDTH)))
        return checkup_lines(self.checkup, width, max(1, room), mend=not self.with_vms)

    # Cost ----------------------------------------------------------------------------------------------------------

    def _cost(self, width: int) -> list[Line]:
        cost = self.host.cost
        if cost is None:
            return self._no_cost()
        highest = max((abs(term.cost) for term in cost.terms if term.feasible), default=0.0)
        figures = [cost_text(term.cost) for term in cost.terms]
        names = [term.attribute.removeprefix("devices.") for term in cost.terms]
        inputs = [_input(term) for term in cost.terms]
        name_width = min(14, max(map(width_of, names), default=0))
        input_width = max(map(len, inputs), default=0)
        figure_width = max([*map(len, figures), len(cost_text(cost.total))], default=0)
        bar = max(0, width - name_width - input_width - figure_width - 6)
        lines: list[Line] = []
        for term, name, amount, figure in zip(cost.terms, names, inputs, figures, strict=True):
            share = abs(term.cost) / highest if highest and term.feasible else float(not term.feasible)
            lines.append(
                (
                    *lay_out(((name, Tone.MUTED),), name_width),
                    (f"  {amount:>{input_width}}  ", Tone.PLAIN),
                    *bar_pieces(share, bar, Tone.BAR if term.feasible else Tone.BAD),
                    (f"  {figure:>{figure_width}}", Tone.PLAIN if term.feasible else Tone.BAD),
                )
            )
        formula = ""
        if cost.scale != 1.0:
            formula += f"  \N{MULTIPLICATION SIGN} {cost.scale:g}"
        if cost.offset:
            formula += f"  + {cost_text(cost.offset)}"
        total = cost_text(cost.total)
        lines.append(
            (
                *lay_out((("cost", Tone.MUTED), (formula, Tone.DIM)), max(0, width - figure_width - 2)),
                (f"  {total:>{figure_width}}", Tone.STRONG if cost.feasible else Tone.BAD),
            )
        )
        return lines

    def _no_cost(self) -> list[Line]:
        host = self.host
        age = host.snapshot.age(self.now)
        if host.freshness is Freshness.OFF:
            told = "Not connected: the host is disabled. Its VMs keep running, unmonitored."
        elif host.profile is None:
            told = "Cost unknown: no such hardware profile."
        elif age is None:
            told = "Cost unknown: the host has not answered yet."
        else:
            told = f"Cost unknown: the figures are {show_age(age)} old."
        return [((told, Tone.WARN if host.freshness is not Freshness.OFF else Tone.MUTED),)]

    # VMs -----------------------------------------------------------------------------------------------------------

    def _vms(self, width: int, height: int) -> list[Line]:
        snapshot = self.host.snapshot
        if height <= 0 or not snapshot.is_known:
            return []
        machines = sorted(snapshot.vms, key=lambda vm: (not vm.active, natural(vm.name)))
        if not machines:
            return [(("No VMs.", Tone.MUTED),)]
        shown = machines if len(machines) <= height else machines[: max(0, height - 1)]
        lines = [self._vm(vm, width, shown) for vm in shown]
        if len(shown) < len(machines):
            left = plural(len(machines) - len(shown), "VM")
            lines.append(((f"and {left} more: Enter lists them" if shown else f"{left}: Enter lists them", Tone.DIM),))
        return lines

    def _vm(self, vm: VM, width: int, shown: Sequence[VM]) -> Line:
        current = self.host.freshness.is_current
        states = max(len(other.state.label) for other in shown) if current else len("unknown")
        addresses = max(len(other.address or "-") for other in shown)
        devices = " ".join(str(address).removeprefix("0000:") for address in vm.devices)
        fixed = states + addresses + 2 * 4 + len("1234 vCPU  1023 GiB")
        wanted = max(width_of(other.name) for other in shown)
        line: Line = (
            *lay_out(vm.name, max(10, min(wanted, width - fixed - 8))),
            (f"  {vm.state.label if current else 'unknown':<{states}}  ", VM_TONES[vm.state]),
            (f"{vm.vcpus:>4} vCPU  {show_size(vm.memory_bytes):>8}  ", Tone.PLAIN),
            (f"{vm.address or '-':<{addresses}}  ", Tone.PLAIN),
            (devices, Tone.MUTED),
        )
        return line if current else tuple((text, Tone.DIM) for text, _ in line)


def _named_pools(realm: Realm) -> tuple[tuple[str, str], ...]:
    return tuple(zip(("volumes", "drives", "bricks", "snapshots"), realm.pools, strict=True))


def _input(term: Term) -> str:
    return show_size(term.input) if term.attribute == "memory" else str(term.input)


def _side_by_side(left: Sequence[Line], right: Sequence[Line], width: int, height: int) -> list[Line]:
    """Put two blocks beside each other, cut to a height; the left one is as wide as a cost is drawn."""
    lines: list[Line] = []
    for number in range(height):
        beginning = left[number] if number < len(left) else ()
        end = right[number] if number < len(right) else ()
        lines.append((*lay_out(beginning, min(width, _COST_WIDTH)), _BETWEEN, *end))
    return lines
