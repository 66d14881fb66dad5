"""The changes of a what-if as they are made, undone and done again; for the screen's thread alone."""

from core.config.settings import Setting
from core.placement.what_if.changes import HostGone, HostInState, VMMore
from core.placement.what_if.sandbox import Change

_MOST_STEPS = 1000
"""Steps back that are kept."""


class History:
    """The changes in their order. A later change takes the place of an earlier one that it makes pointless."""

    def __init__(self) -> None:
        self.changes: tuple[Change, ...] = ()
        self.draft: Setting | None = None
        """The setting that is being typed; it ends with every step."""
        self._past: list[tuple[Change, ...]] = []
        self._future: list[tuple[Change, ...]] = []

    @property
    def with_draft(self) -> tuple[Change, ...]:
        """The changes, with the setting that is being typed."""
        return self.changes if self.draft is None else with_change(self.changes, self.draft)

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether there is a step that was taken back."""
        return bool(self._future)

    def make(self, *changes: Change) -> None:
        """Make changes, as one step."""
        wanted = self.changes
        for change in changes:
            wanted = with_change(wanted, change)
        self.become(wanted)

    def become(self, changes: tuple[Change, ...]) -> None:
        """Have these changes from now on, as one step; the same ones are no step."""
        self.draft = None
        if changes == self.changes:
            return
        self._past = [*self._past[-_MOST_STEPS:], self.changes]
        self._future = []
        self.changes = changes

    def take_back(self, index: int) -> None:
        """Take one change back, as one step."""
        self.become(self.changes[:index] + self.changes[index + 1 :])

    def undo(self) -> bool:
        """Take the last step back; False where there is none."""
        return self._step(self._past, self._future)

    def redo(self) -> bool:
        """Take the step again that was taken back last; False where there is none."""
        return self._step(self._future, self._past)

    def _step(self, source: list[tuple[Change, ...]], target: list[tuple[Change, ...]]) -> bool:
        if not source:
            return False
        self.draft = None
        target.append(self.changes)
        self.changes = source.pop()
        return True


def with_change(changes: tuple[Change, ...], change: Change) -> tuple[Change, ...]:
    """Return the changes with one more: in the place of what it overrides, else at the end."""
    match change:
        case Setting() if not change.appends:
            kept = without_settings(changes, change.path)
        case HostInState(host) | HostGone(host):
            kept = without_state(changes, host)
        case VMMore(host, request):
            for position, other in enumerate(changes):
                if isinstance(other, VMMore) and (other.host, other.request) == (host, request):
                    more = VMMore(host, request, other.count + change.count)
                    return (*changes[:position], more, *changes[position + 1 :])
            kept = changes
        case _:
            kept = changes
    return (*kept, change)


def without_settings(changes: tuple[Change, ...], path: tuple[str, ...]) -> tuple[Change, ...]:
    """Leave out the settings of a parameter, or of all that a block holds."""
    return tuple(change for change in changes if not (isinstance(change, Setting) and change.path[: len(path)] == path))


def without_state(changes: tuple[Change, ...], host: str) -> tuple[Change, ...]:
    """Leave out what is thought of a host's state, and of its being there."""
    return tuple(
        change for change in changes if not (isinstance(change, HostInState | HostGone) and change.host == host)
    )
