"""What is being done to VMs now, as tasks tell it, in the few words that fit into a row."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.fleet.fleet import VM
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Progress, Step, TaskView

_DOING = {
    "create": "creating", "start": "starting", "shut down": "shutting down", "force off": "powering off",
    "pause": "pausing", "resume": "resuming", "reboot": "rebooting", "reset": "resetting", "delete": "deleting",
    "migrate": "migrating", "snapshot": "snapshot", "restore": "restoring",
}  # fmt: skip
"""What a task does to a VM, by its word, where no step says it better."""


@dataclass(frozen=True, slots=True)
class UnderWay:
    """The words for each VM that something is being done to, by host and then by UUID."""

    by_host: Mapping[str, Mapping[str, str]]

    def of_host(self, host: str) -> Mapping[str, str]:
        """Return the words for a host's VMs, by UUID."""
        return self.by_host.get(host, {})


NOTHING = UnderWay({})


def under_way(views: Iterable[TaskView], vms: Iterable[VM]) -> UnderWay:
    """Find which VMs running tasks are about: by a task's target, else by the VMs and hosts of its steps."""
    running = [view for view in views if view.is_running]
    if not running:
        return NOTHING
    about = {view.target: view for view in running}
    by_host: dict[str, dict[int, _Part]] = {}
    for view in reversed(running):
        for step in view.steps:
            if step.host:
                by_host.setdefault(step.host, {}).setdefault(view.id, _Part(view, [])).steps.append(step)
    found: dict[str, dict[str, str]] = {}
    for vm in vms:
        words = _words(vm, about.get(f"{vm.host}/{vm.name}"), by_host.get(vm.host, {}).values())
        if words:
            found.setdefault(vm.host, {})[vm.uuid] = words
    return UnderWay(found)


@dataclass(frozen=True, slots=True)
class _Part:
    """A task, and those of its steps that are on one host."""

    view: TaskView
    steps: list[Step]


def _words(vm: VM, about_it: TaskView | None, on_its_host: Iterable[_Part]) -> str:
    """Return what is done to a VM by a task about it alone, else by one that works on its host."""
    if about_it is not None:
        return _of_the_only(about_it, about_it.steps)
    for part in on_its_host:
        # One that is being made has no host in its task's name: it is where the steps are.
        alone = part.view.target == vm.name
        words = _of_the_only(part.view, part.view.steps) if alone else _of_one_among_several(part, vm)
        if words:
            return words
    return ""


def _of_the_only(view: TaskView, steps: Sequence[Step]) -> str:
    step = next((step for step in reversed(steps) if step.progress is Progress.RUNNING), None)
    if view.cancelling:
        return "cancelling"
    if step is None:
        return _DOING.get(view.what, view.what)
    return _of_step(step) or with_percent(_DOING.get(view.what, view.what), step)


def _of_step(step: Step) -> str:
    if step.kind is StepKind.REGISTER:
        if step.total <= 0:
            return "registering"
        return f"registering {step.done:.0f} s of {step.total:.0f} s"
    if step.kind is StepKind.MOVE:
        return with_percent(f"migrating to {step.to}", step)
    return ""


def with_percent(words: str, step: Step) -> str:
    """Return how far it is, where the step knows it."""
    fraction = step.fraction
    return words if fraction is None else f"{words} {100 * fraction:.0f} %"


def _of_one_among_several(part: _Part, vm: VM) -> str:
    """Of a task on several VMs the steps name theirs; a migration's are those that follow its own on that host."""
    mine = list(_own(part.steps, vm))
    return _of_the_only(part.view, mine) if mine else ""


def _own(steps: Sequence[Step], vm: VM) -> Iterator[Step]:
    moving = False
    for step in steps:
        if step.kind is StepKind.MIGRATE:
            moving = step.vm == vm.name and step.progress is Progress.RUNNING
        if step.progress is Progress.RUNNING and (moving or step.vm == vm.name):
            yield step
