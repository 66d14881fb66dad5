"""What can be done to VMs from the screens, and to which of them."""

from __future__ import annotations

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
        told="Each goes on where it is, and is waited for until it has registered; past the realm's timeout it is "
        "stopped again.",
    ),
    VMAction.SHUTDOWN: ActionText(
        verb="Shut down", done="off", destructive=True,
        told="The guests are asked to shut themselves down. For those that have not done so in time, you are asked "
        "whether to cut their power.",
    ),
    VMAction.REBOOT: ActionText(
        verb="Reboot", done="asked to reboot", destructive=True,
        told="The guests are asked to reboot; whether they do is theirs.",
    ),
    VMAction.RESET: ActionText(
        verb="Reset", done="reset", destructive=True, counted=True,
        told="As by the button: what they have not written is lost.",
    ),
    VMAction.PAUSE: ActionText(verb="Pause", done="paused", told="Their CPUs stop; they keep what they hold."),
    VMAction.RESUME: ActionText(verb="Resume", done="running", told="They go on where they stopped."),
    VMAction.OFF: ActionText(
        verb="Force off", done="off", destructive=True, counted=True,
        told="The power is cut: what they have not written is lost.",
    ),
    VMAction.DELETE: ActionText(
        verb="Delete", done="deleted", destructive=True, counted=True,
        told="What stays is named by the task. What another VM uses is never deleted.",
    ),
    VMAction.MIGRATE: ActionText(
        verb="Migrate", done="moved",
        told="Everything is checked once more before it moves, and nothing moves where something stands in the way.",
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
        case VMAction.MIGRATE:
            return True
        case _:
            return vm.active
