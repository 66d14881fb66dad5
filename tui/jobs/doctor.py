"""The doctor, run from the screens as a task: each host's findings are kept as soon as its visit is over."""

from collections.abc import Sequence

from textual.notifications import SeverityLevel

from core.fleet.fleet import HostSnapshot
from core.operations.findings import Diagnosis
from core.operations.tasks.task import Control
from core.text import plural
from tui.context import AppContext
from tui.render.hosts.questions import names


def examine(realms: AppContext, chosen: Sequence[HostSnapshot]) -> None:
    """Examine hosts; of several, those that nothing connects to are left out. Says why where none can be."""
    session, checkups = realms.session, realms.checkups
    if not session.is_live:
        realms.tell("A saved fleet has no live hosts to examine.", "warning")
        return
    wanted = [each for each in chosen if each.host.state.connects] if len(chosen) > 1 else list(chosen)
    wanted = [each for each in wanted if not checkups.is_running(each.name)]
    if not wanted:
        realms.tell("Nothing to examine: hosts are disabled or already being examined.", "warning")
        return
    listed = [each.name for each in wanted]

    def job(control: Control) -> Diagnosis:
        from core.operations.doctor.doctor import HOST_SECONDS, diagnose

        try:
            diagnosis = diagnose(session, listed, HOST_SECONDS, control=control, on_result=checkups.take)
            checkups.settle(diagnosis, listed)
        finally:
            checkups.end(listed)
        return diagnosis

    def told(diagnosis: Diagnosis) -> None:
        from core.diagnostics import Severity
        from core.operations.findings import in_words

        asked = f"{diagnosis.hosts_answering} of {plural(diagnosis.hosts_total, 'host')} answered"
        wrong = diagnosis.count(Severity.ERROR) + diagnosis.count(Severity.WARNING)
        severity: SeverityLevel = "error" if not diagnosis.ok else "warning" if wrong else "information"
        hint = "f lists findings and fixes" if wrong else ""
        realms.tell(f"Doctor: {asked}; {in_words(diagnosis.findings)}", severity, hint=hint)

    checkups.begin(listed)
    realms.run_task("examine", names(wanted), job, told)
