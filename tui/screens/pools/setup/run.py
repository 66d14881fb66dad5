"""The last page of the wizard: the work itself, on each host, and what came of it."""

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.widgets import Button

from core.operations.storage.pool_report import PoolsReport
from core.operations.tasks.task import Control, Progress, TaskView
from tui.render.pools.setup import Checks
from tui.render.pools.setup_run import SetupRun
from tui.screens.pools.setup.page import SetUpPage
from tui.widgets.flow import Flow


class SetupReport:
    """What came of the task, also where it failed: written once, in its thread, before its end is told."""

    def __init__(self) -> None:
        self.report: PoolsReport | None = None
        self.taken = False


class RunPage(SetUpPage):
    """Shows the task's steps as a matrix; stopping it undoes what it did. It goes on without the wizard, too."""

    title = "Run"

    def compose(self) -> ComposeResult:
        """Lay out a text that grows, and the way to stop."""
        yield Flow(id="run")
        yield Button("Stop and roll back", id="stop", compact=True)

    @property
    def words(self) -> str:
        """What the button does: the work goes on without the wizard."""
        return "Run in background" if self._runs() else "Done"

    def on_mount(self) -> None:
        """Nothing runs yet."""
        self._number: int | None = None
        self._checks: Checks | None = None
        self._came = SetupReport()

    def _view(self) -> TaskView | None:
        return self.realms.task_view(self._number) if self._number is not None else None

    def _runs(self) -> bool:
        view = self._view()
        return view is not None and view.is_running

    def enter(self) -> None:
        """Begin: this is the step that does it."""
        draft = self.draft
        self._checks, self._came = self.checks(), SetupReport()
        self.may_go_back = False
        realms, came, realm = self.realms, self._came, draft.realm
        hosts, request, proof = self.chosen_hosts(), draft.request, draft.proof
        if request is None:  # no page before allows that
            return

        def job(control: Control) -> PoolsReport:
            from core.operations.storage.pools import PoolsNotSetUp, set_up_pools

            try:
                came.report = set_up_pools(control, realm, hosts, request, proof=proof)
            except PoolsNotSetUp as error:
                came.report = error.report
                raise
            return came.report

        def then(report: PoolsReport) -> None:
            realms.pool_sight.take_report(report)
            realms.tell(f"Pools of realm {realm.id} set up on {len(report.hosts)} hosts.")

        self._number = realms.run_task("set up pools of", realm.id, job, then)
        self._show()

    def show_tasks(self, views: Sequence[TaskView]) -> None:
        """Show how far it is."""
        del views
        self._show()

    def _show(self) -> None:
        view, checks = self._view(), self._checks
        if view is None or checks is None:
            return
        if not view.is_running:
            self._take_in(view)
        run = SetupRun(view, checks, None if view.is_running else self._came.report)
        self.query_one(Flow).show(run.lines)
        stop = self.query_one("#stop", Button)
        stop.display = view.is_running
        stop.disabled = view.cancelling
        self.may_go_back = not view.is_running and view.progress is not Progress.DONE
        self.wizard.show_buttons()
        self.wizard.query_one("#cancel", Button).display = False  # it would sound as if anything were undone

    def _take_in(self, view: TaskView) -> None:
        """Let the area know, once: of a task that failed too, and of one that was undone."""
        if self._came.taken:
            return
        self._came.taken = True
        sight = self.realms.pool_sight
        if self._came.report is not None:
            sight.take_report(self._came.report)
        if view.progress is not Progress.DONE:
            for host in self.chosen_hosts():
                sight.of(host.name).asked_for = None
        self.wizard.query_one("#next", Button).focus()

    @on(Button.Pressed, "#stop")
    def stop(self, event: Button.Pressed) -> None:
        """End the task; it undoes what it did."""
        event.stop()
        if self._number is not None:
            self.realms.session.tasks.cancel(self._number)
            self._show()
