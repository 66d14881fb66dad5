"""What an action on VMs will do, said before it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.render.host_changes import Question
from tui.render.summary import plural
from tui.render.vms import VM_TONES
from tui.vm_actions import ACTIONS, VMAction
from tui.widgets.cells import Tone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.fleet import VM
    from tui.widgets.cells import Piece

Line = tuple["Piece", ...]

MOST_NAMED = 8
"""VMs that a dialog names one by one; the rest are counted."""


def vm_names(vms: Sequence[VM]) -> str:
    """Name VMs with their hosts, in a sentence: "h1/web-1, h1/web-2 and 3 more"."""
    listed = [f"{vm.host}/{vm.name}" for vm in vms]
    if len(listed) > 3:
        return f"{', '.join(listed[:2])} and {len(listed) - 2} more"
    return " and ".join([", ".join(listed[:-1]), listed[-1]] if len(listed) > 1 else listed)


def ask_action(action: VMAction, vms: Sequence[VM], left_out: int = 0) -> Question:
    """Ask before something is done to VMs; `left_out` of those chosen have nothing to be done to."""
    manner = ACTIONS[action]
    foreign = [vm for vm in vms if not vm.managed]
    lines: list[Line] = [_line(vm) for vm in vms[:MOST_NAMED]]
    rest = vms[MOST_NAMED:]
    if rest:
        others = sum(not vm.managed for vm in rest)
        lines.append(
            (
                (f"and {plural(len(rest), 'more VM')}", Tone.PLAIN),
                (f", {others} of them foreign" if others else "", Tone.WARN),
            )
        )
    if left_out:
        verb = "is" if left_out == 1 else "are"
        lines.append(((f"{plural(left_out, 'other')} {verb} left out: nothing to be done there", Tone.MUTED),))
    if foreign:
        what = "It is foreign" if len(vms) == 1 else f"{plural(len(foreign), 'VM')} of these "
        what += "" if len(vms) == 1 else ("is foreign" if len(foreign) == 1 else "are foreign")
        lines += [(), ((f"{what}: the realm did not make it. Somebody else may rely on it.", Tone.BAD),)]
    lines += [(), ((manner.told, Tone.MUTED),)]
    several = len(vms) > 1
    name = vms[0].name if not several else f"{len(vms)} VMs"
    where = f" on {vms[0].host}" if len({vm.host for vm in vms}) == 1 else f" on {len({vm.host for vm in vms})} hosts"
    return Question(
        f"{manner.verb} {name}{where}?",
        tuple(lines),
        manner.verb,
        destructive=manner.destructive or bool(foreign),
        to_type=f"{len(vms)} VMs" if several and manner.counted else "",
    )


def _line(vm: VM) -> Line:
    return (
        (f"{vm.host}/{vm.name}", Tone.STRONG),
        ("  ", Tone.PLAIN),
        (vm.state.value, VM_TONES[vm.state]),
        ("  foreign" if not vm.managed else "", Tone.WARN),
    )
