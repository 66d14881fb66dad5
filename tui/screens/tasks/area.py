"""The area of tasks: whatever takes longer than a blink, running and past, with its steps."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll

from core.operations.tasks.task import TaskView
from tui.commands import Command, bindings
from tui.render.rows import RowKey
from tui.render.tasks.table import TASK_COLUMNS, TaskDetail, task_rows, task_title
from tui.screens.area import AreaScreen
from tui.widgets.grid import Grid
from tui.widgets.panel import Panel


class TasksScreen(AreaScreen):
    """All tasks of this program, the newest first; the chosen one in detail below."""

    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("x", "cancel_tasks", "Cancel task", "Cancel a running task and roll it back.", footer=True),
        Command("l", "open_log", "Scheduling log", "Placement decisions and their explanation.", footer=True),
    )
    BINDINGS: ClassVar = bindings(KEYS)
    CSS_PATH = "tasks.tcss"

    def compose_body(self) -> ComposeResult:
        """Lay out the table and the panel."""
        empty = "No tasks yet. Tasks and their steps are listed here."
        yield self.grid(TASK_COLUMNS, "tasks", heading="Tasks", empty=empty)
        yield Panel(id="task")

    def show_tasks(self, views: Sequence[TaskView]) -> None:
        """Show all tasks as they stand now."""
        self.query_one(Grid).set_rows(task_rows(views, self.realms.session.clock.now()))
        self._show_detail()

    def show_trouble(self, why: str) -> None:
        """Show the tasks anyway: they don't need a fleet."""
        del why

    @on(Grid.Moved)
    def _show_detail(self) -> None:
        panel = self.query_one(Panel)
        view = self.realms.task_view(self.query_one(Grid).cursor_key)
        panel.display = view is not None
        if view is not None:
            detail = TaskDetail(view, self.realms.session.clock.now())
            panel.show(detail.title(), detail.lines)

    @on(Grid.Chosen)
    def open_task(self, event: Grid.Chosen) -> None:
        """Show all of a task."""
        if isinstance(event.key, int):
            self.app.push_screen(TaskScreen(event.key))

    def action_cancel_tasks(self) -> None:
        """Ask, then tell the chosen tasks to end."""
        grid = self.query_one(Grid)
        views = [view for key in grid.chosen() if (view := self.realms.task_view(key)) is not None]
        if views:
            self.realms.cancel_tasks(views)
            grid.clear_marks()

    def action_open_log(self) -> None:
        """List the decisions of placement."""
        from core.operations.scheduling.log_writer import log_of
        from tui.screens.tasks.decision_log import SchedulingLogScreen

        registry = self.realms.session.registry
        self.app.push_screen(SchedulingLogScreen(log_of(registry.path) if registry is not None else None))

    def go_to_row(self, key: RowKey) -> None:
        """Put the cursor on a task."""
        self.query_one(Grid).go_to(key)


class TaskScreen(AreaScreen):
    """A place within the area: all of one task, however many steps it has."""

    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("x", "cancel_task", "Cancel task", "Cancel the task and roll it back.", footer=True),
    )
    BINDINGS: ClassVar = bindings(KEYS)
    CSS_PATH = "tasks.tcss"

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    @property
    def place(self) -> tuple[str, ...]:
        """Within the tasks, this one."""
        view = self.realms.task_view(self._number)
        return (task_title(view) if view is not None else "",)

    def compose_body(self) -> ComposeResult:
        """Lay out a panel as high as it needs to be."""
        with VerticalScroll(id="whole-task"):
            yield Panel(id="task")

    def on_resize(self) -> None:
        """Give the panel the height that it needs in the new width."""
        self.show_tasks(())

    def show_tasks(self, views: Sequence[TaskView]) -> None:
        """Show the task as it stands now; one that is no longer kept stays as it was shown last."""
        del views
        view = self.realms.task_view(self._number)
        if view is None:
            return
        detail = TaskDetail(view, self.realms.session.clock.now())
        panel = self.query_one(Panel)
        width = self.size.width - panel.gutter.width - 2
        panel.styles.height = len(detail.everything(width)) + panel.gutter.height
        panel.show(detail.title(), lambda width, _: detail.everything(width))

    def action_cancel_task(self) -> None:
        """Ask, then tell the task to end."""
        view = self.realms.task_view(self._number)
        if view is not None:
            self.realms.cancel_tasks([view])
