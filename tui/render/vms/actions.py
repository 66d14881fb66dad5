"""What can be done to VMs from the screens, and to which of them."""

from dataclasses import dataclass
from enum import StrEnum

from core.fleet.fleet import VM, VMState


class VMAction(StrEnum):
    """What is done to a VM, by the word of its command."""

    START = "start"
    SHUTDOWN = "shutdown"
    REBOOT = "reboot"
    RESET = "reset"
    PAUSE = "pause"
    RESUME = "resume"
    OFF = "off"
    SAVE = "save"
    DISCARD_SAVE = "discard-save"
    DELETE = "delete"
    MIGRATE = "migrate"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionText:
    """How an action is asked for and told."""

    verb: str
    """On the button, and the first word of the question."""
    told: str
    """What it does, in a sentence."""
    done: str
    """What came of it."""
    destructive: bool = False
    """Its dialog begins on Cancel."""
    counted: bool = False
    """Several want their number typed."""


ACTIONS = {
    VMAction.START: ActionText(
        verb="Start", done="started",
        told="Starts on its current host. A VM that does not register within the realm's timeout is stopped.",
    ),
    VMAction.SHUTDOWN: ActionText(
        verb="Shut down", done="shut off", destructive=True,
        told="The guests are asked to shut down. You are asked whether to force off those that do not in time.",
    ),
    VMAction.REBOOT: ActionText(
        verb="Reboot", done="asked to reboot", destructive=True,
        told="The guests are asked to reboot; they may ignore it.",
    ),
    VMAction.RESET: ActionText(
        verb="Reset", done="reset", destructive=True, counted=True,
        told="Hard reset: unsaved data is lost.",
    ),
    VMAction.PAUSE: ActionText(verb="Pause", done="paused", told="vCPUs stop; memory and devices stay allocated."),
    VMAction.RESUME: ActionText(verb="Resume", done="running", told="Paused or suspended VMs continue."),
    VMAction.OFF: ActionText(
        verb="Force off", done="shut off", destructive=True, counted=True,
        told="Power off: unsaved data is lost.",
    ),
    VMAction.SAVE: ActionText(
        verb="Save", done="saved",
        told="Memory is saved on the host, and the VM stops. The next start goes on from there, on this host only.",
    ),
    VMAction.DISCARD_SAVE: ActionText(
        verb="Discard saved memory", done="shut off", destructive=True, counted=True,
        told="The next start boots: unsaved data is lost.",
    ),
    VMAction.DELETE: ActionText(
        verb="Delete", done="deleted", destructive=True, counted=True,
        told="Volumes used by other VMs are never deleted. The task lists what is kept.",
    ),
    VMAction.MIGRATE: ActionText(
        verb="Migrate", done="migrated",
        told="Each VM is checked again before it moves; a failed check stops its migration.",
    ),
}  # fmt: skip


def applies(action: VMAction, vm: VM) -> bool:
    """Whether there is something to do: a VM that runs is not started."""
    match action:
        case VMAction.START | VMAction.DELETE:
            return not vm.active
        case VMAction.PAUSE:
            return vm.active and vm.state is VMState.RUNNING
        case VMAction.RESUME:
            return vm.active and vm.state is not VMState.RUNNING
        case VMAction.DISCARD_SAVE:
            return vm.state is VMState.SAVED
        case VMAction.MIGRATE:
            return True
        case _:
            return vm.active
