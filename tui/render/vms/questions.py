"""What an action on VMs will do, said before it is done."""

from collections.abc import Sequence

from core.fleet.fleet import VM
from core.text import plural
from tui.render.cells import Piece, Tone
from tui.render.question import Question
from tui.render.vms.actions import ACTIONS, VMAction
from tui.render.vms.table import VM_TONES

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
    several = len(vms) > 1
    return Question(
        title_of(manner.verb, vms),
        (*vm_lines(vms, left_out), (), ((manner.told, Tone.MUTED),)),
        manner.verb,
        destructive=manner.destructive or any(not vm.managed for vm in vms),
        to_type=f"{len(vms)} VMs" if several and manner.counted else "",
    )


def ask_to_cut_power(vms: Sequence[VM], seconds: float) -> Question:
    """Ask what becomes of VMs that did not shut down in time. It comes uncalled for: so something has to be typed."""
    told = f"Still running {seconds:g} s after the shutdown request. Power off: unsaved data is lost."
    return Question(
        title_of("Force off", vms),
        (*vm_lines(vms), (), ((told, Tone.WARN),)),
        ACTIONS[VMAction.OFF].verb,
        destructive=True,
        to_type=f"{len(vms)} VMs" if len(vms) > 1 else "off",
        otherwise="Leave running",
    )


def title_of(verb: str, vms: Sequence[VM]) -> str:
    """Ask whether something is to be done, naming the VM and its host, or how many of each."""
    name = vms[0].name if len(vms) == 1 else f"{len(vms)} VMs"
    hosts = {vm.host for vm in vms}
    return f"{verb} {name} on {vms[0].host if len(hosts) == 1 else f'{len(hosts)} hosts'}?"


def vm_lines(vms: Sequence[VM], left_out: int = 0) -> list[Line]:
    """Name VMs with their hosts and states, and warn of foreign ones."""
    foreign = [vm for vm in vms if not vm.managed]
    lines: list[Line] = [vm_line(vm) for vm in vms[:MOST_NAMED]]
    rest = vms[MOST_NAMED:]
    if rest:
        others = sum(not vm.managed for vm in rest)
        lines.append(
            (
                (f"and {plural(len(rest), 'more VM')}", Tone.PLAIN),
                (f", {others} of them unmanaged" if others else "", Tone.WARN),
            )
        )
    if left_out:
        lines.append(((f"{plural(left_out, 'other')} skipped: nothing to do", Tone.MUTED),))
    if foreign:
        what = "Unmanaged" if len(vms) == 1 else f"{plural(len(foreign), 'VM')} of these "
        what += "" if len(vms) == 1 else ("is unmanaged" if len(foreign) == 1 else "are unmanaged")
        lines += [(), ((f"{what}: not created by the realm. Others may depend on it.", Tone.BAD),)]
    return lines


def vm_line(vm: VM) -> Line:
    """Name a VM with its host and state."""
    return (
        (f"{vm.host}/{vm.name}", Tone.STRONG),
        ("  ", Tone.PLAIN),
        (vm.state.label, VM_TONES[vm.state]),
        ("  unmanaged" if not vm.managed else "", Tone.WARN),
    )
