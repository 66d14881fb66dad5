"""What the screens use of the application that they are part of."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar, cast
from weakref import WeakSet

from textual.message_pump import MessagePump
from textual.notifications import SeverityLevel

from core.fleet.fleet import Fleet, VMKey
from core.operations.session import Session
from core.operations.tasks.task import Control, TaskView
from core.placement.engine.request import Request
from core.realms import Realm
from tui.commands import Command
from tui.state.checkups import Checkups
from tui.state.cpu_history import CpuHistory
from tui.state.pool_cache import PoolCache
from tui.state.settings import Settings

T = TypeVar("T")


class Waiting(Protocol):
    """Whoever waits for answers."""

    @property
    def outstanding(self) -> int:
        """How many answers are still to come."""


class Navigation(Protocol):
    """The ways from one area into another."""

    def go_to_host(self, name: str) -> None:
        """Show a host in its area."""

    def go_to_vm(self, key: VMKey) -> None:
        """Show a VM in its area."""

    def open_host(self, name: str) -> None:
        """Open a host in front of what is shown."""

    def open_vm(self, key: VMKey) -> None:
        """Open a VM in front of what is shown."""

    def open_drain_plan(self, host: str) -> None:
        """Go to the plans, and show the one that empties a host."""

    def open_pool_setup(self, realm: Realm, hosts: Sequence[str]) -> None:
        """Open the wizard that sets pools up."""


class AppContext(Protocol):
    """The application as its screens know it: what they show, and what they ask for."""

    session: Session
    settings: Settings
    fleet: Fleet | None
    """The fleet as shown; None until the first look at it."""
    trouble: str
    """Why there is no fleet; empty where there is one, or soon will be."""
    request: Request
    """The VM that headroom is counted in: what was asked for last."""
    checkups: Checkups
    cpu_history: CpuHistory
    pool_sight: PoolCache
    backgrounds: WeakSet[Waiting]
    """What its screens, and parts of them, work on in the background."""

    @property
    def navigation(self) -> Navigation:
        """The ways from one area into another."""

    @property
    def place(self) -> tuple[str, ...]:
        """The outermost words of the line above."""

    @property
    def warning(self) -> str:
        """What is to be warned of in the line above; empty where nothing is."""

    @property
    def app_commands(self) -> Sequence[Command]:
        """What can be done in every area."""

    def summary(self) -> tuple[tuple[str, str], ...]:
        """Return what the figures are about, for the right end of the line above."""

    def tick(self) -> None:
        """Bring what changed since the last look to the screen in front."""

    def tell(self, text: str, severity: SeverityLevel = "information", *, hint: str = "") -> None:
        """Show a short message, and a hint below it."""

    def fits(self, fleet: Fleet) -> Mapping[str, int]:
        """Return how many more VMs of the current request each host takes, as far as that is counted."""

    def change(self, what: str, steps: Sequence[tuple[str, Callable[[], object]]]) -> None:
        """Change the registry off the screen's thread: each step is a host, and what is done to it."""

    def run_task(
        self, what: str, target: str, job: Callable[[Control], T], then: Callable[[T], None] | None = None
    ) -> int:
        """Start a task off the screen's thread and return its number; `then` gets what came of it."""

    def task_view(self, number: object) -> TaskView | None:
        """Return a task as it stands now; None where there is no such task."""

    def cancel_tasks(self, views: Sequence[TaskView]) -> None:
        """Ask, then end tasks."""


def context_of(part: MessagePump) -> AppContext:
    """Return the application that a screen, or a part of one, belongs to."""
    return cast("AppContext", part.app)


class WithContext:
    """Gives a screen, or a part of one, the application that it belongs to. Stands last among the bases."""

    @property
    def realms(self) -> AppContext:
        """The application, as its screens know it."""
        return context_of(cast("MessagePump", self))
