"""A what-if without a screen: changes made and undone, questions asked of it, and the answers that it keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.config.settings import Setting
from core.errors import RealmsError, UsageError
from core.hosts import HostState
from core.placement.engine.request import Request
from core.placement.what_if.changes import HostGone, VMMore
from tests.tui.screens.costs.costs_world import GIB, configuration, fleet, host, usual_fleet
from tui.forms.request import Asked
from tui.render.costs.what_if_export import command_line, overlay
from tui.screens.costs.what_if.session import WhatIfSession

if TYPE_CHECKING:
    from pathlib import Path

    from core.fleet.fleet import HostSnapshot
    from tui.screens.costs.query import CostQuery

CONFIGURATION = configuration()
CPU = CONFIGURATION.cost_functions["cpu"]
HARD = Setting.parse("cost-functions.cpu.memory.hard=960 GiB")
"""Makes h2 take what it refuses."""


def started(memory: int = 96) -> WhatIfSession:
    """Begin a session, and answer its first question."""
    session = WhatIfSession()
    session.asked = Asked(Request(4, memory * GIB), 1)
    answer(session)
    return session


def asked(session: WhatIfSession) -> CostQuery:
    """Ask about the usual fleet."""
    question = session.question(CONFIGURATION, usual_fleet())
    assert question is not None
    return question


def answer(session: WhatIfSession) -> None:
    """Ask, and take every part of the answer."""
    question = asked(session)
    for part in question.parts():
        assert session.take(question, part)


def ranked(session: WhatIfSession) -> list[str]:
    """Names of the hosts that can take the VM."""
    assert session.exploration is not None
    return [verdict.host for verdict in session.exploration.ranked]


def snapshot(name: str) -> HostSnapshot:
    """Look up a host."""
    found = usual_fleet().host(name)
    assert found is not None
    return found


def test_nothing_is_asked_without_a_request() -> None:
    """There is nothing to show yet either."""
    session = WhatIfSession()
    assert session.question(CONFIGURATION, usual_fleet()) is None
    assert (session.exploration, session.chosen, session.trouble) == (None, None, "")


def test_a_parameter_is_set_undone_and_set_again() -> None:
    """The ranking follows; what is configured is as it was."""
    session = started()
    assert "h2" not in ranked(session)
    session.set_parameter(CPU, HARD)
    answer(session)
    assert "h2" in ranked(session)
    assert session.answer.counted is not None
    before, after = session.answer.counted
    assert after.total > before.total
    assert session.history.undo()
    answer(session)
    assert "h2" not in ranked(session)
    assert session.answer.sandbox is None
    assert session.history.redo()
    answer(session)
    assert "h2" in ranked(session)
    assert (session.history.redo(), session.changes) == (False, (HARD,))
    assert configuration() == CONFIGURATION


def test_the_configured_value_is_no_change() -> None:
    """Set by hand, or by taking the change of the parameter back."""
    session = started()
    session.set_parameter(CPU, HARD)
    session.set_parameter(CPU, Setting.parse("cost-functions.cpu.memory.hard=850 GiB"))
    assert session.changes == ()
    session.set_parameter(CPU, HARD)
    session.unset_parameter(HARD.path[:3])
    assert session.changes == ()


def test_what_is_typed_is_asked_and_is_no_step() -> None:
    """Until it is set; undo ends it."""
    session = started()
    session.history.make(HostGone("h4"))
    session.history.draft = HARD
    answer(session)
    assert ranked(session)[-1] != "h4"
    assert "h2" in ranked(session)
    assert session.history.changes == (HostGone("h4"),)
    session.history.undo()
    assert session.changes == ()


def test_a_host_is_in_another_state_in_thought() -> None:
    """The state that it has is no change, and brings back a host that was gone."""
    session, best = started(), snapshot("h4")
    session.set_state(best, HostState.DISABLED)
    answer(session)
    assert "h4" not in ranked(session)
    assert session.state_of(best) is HostState.DISABLED
    session.history.make(HostGone("h4"))
    assert session.state_of(best) is None
    session.set_state(best, HostState.ENABLED)
    assert session.changes == ()


def test_vms_are_added_where_their_devices_are_free() -> None:
    """In one step; h3 has one a100 that nobody uses."""
    session = started(8)
    session.add_vms(VMMore("h4", Request(4, 8 * GIB), 3), VMMore("h3", Request(1, GIB, {"a100": 1})))
    answer(session)
    assert session.exploration is not None
    verdict = session.exploration.verdict("h4")
    assert verdict is not None
    assert verdict.use is not None
    assert verdict.use.vms == len(snapshot("h4").vms) + 3
    with pytest.raises(UsageError, match="h3 has 0 free a100"):
        session.add_vms(VMMore("h3", Request(1, GIB, {"a100": 1})))
    assert session.history.undo()
    assert session.changes == ()


def test_a_raised_limit_makes_a_refused_host_take_it() -> None:
    """It is the least value that does."""
    session = started()
    session.history.make(*session.raised("h2"))
    answer(session)
    assert [str(change) for change in session.changes] == ["cost-functions.cpu.memory.hard = 928 GiB"]
    assert "h2" in ranked(session)


def test_the_document_has_what_was_answered(tmp_path: Path) -> None:
    """There is none before the changes have been made."""
    session = started()
    with pytest.raises(UsageError, match="No changes to export"):
        session.exported()
    session.history.make(HARD, HostGone("h1"))
    with pytest.raises(UsageError, match="try again in a moment"):
        session.exported()
    answer(session)
    sandbox, request = session.exported()
    command = command_line(sandbox.changes, request.request, request.count)
    text = overlay(sandbox, None, tmp_path, request.request, request.count)
    assert command.endswith("--set 'cost-functions.cpu.memory.hard=960 GiB' --without h1")
    assert command in text
    assert "# realms hosts remove h1\n" in text


def test_an_answer_to_an_earlier_question_is_dropped() -> None:
    """Whether it is a ranking or an error; that of the newest stays."""
    session = started()
    earlier = asked(session)
    session.set_parameter(CPU, HARD)
    answer(session)
    newest = session.exploration
    assert not session.take(earlier, earlier.answer())
    assert not session.fail(earlier, RealmsError("too late"))
    assert (session.exploration, session.trouble) == (newest, "")


def test_changes_that_cannot_be_made_are_said_as_long_as_they_are_there() -> None:
    """The last ranking that made sense stays."""
    session = started()
    shown = session.exploration
    session.history.make(Setting.parse("cost-functions.gone.offset=1"))
    answer(session)
    assert "unknown cost function 'gone'" in session.trouble
    assert session.exploration is shown
    with pytest.raises(UsageError, match="unknown cost function 'gone'"):
        session.exported()
    session.history.undo()
    assert session.trouble == ""


def test_a_failure_takes_the_ranking_away() -> None:
    """Until the next answer."""
    session = started()
    assert session.fail(asked(session), RealmsError("no engine"))
    assert (session.exploration, session.trouble) == (None, "no engine")
    answer(session)
    assert (session.trouble, session.chosen) == ("", "h4")


def test_the_best_host_is_in_front_until_another_is_chosen() -> None:
    """Also where the only host is out of the fleet, and only listed."""
    session = started()
    assert session.chosen == "h4"
    assert session.choose("h6")
    assert not session.choose("h6")
    assert session.choose("h4")
    session.set_state(snapshot("h4"), HostState.DISABLED)
    answer(session)
    assert session.chosen == "h6"
    alone = WhatIfSession()
    alone.asked = Asked(Request(4, GIB), 1)
    alone.history.make(HostGone("h1"))
    question = alone.question(CONFIGURATION, fleet(host("h1")))
    assert question is not None
    alone.take(question, question.answer())
    assert alone.choose("h1")
    assert alone.chosen is None


def test_the_editor_stays_with_its_function_and_host() -> None:
    """Whichever host is best afterwards."""
    session = started()
    session.edit(None, CONFIGURATION)
    session.set_parameter(CPU, Setting.parse("cost-functions.cpu.offset=1000000"))
    answer(session)
    assert ranked(session)[0] == "h3"
    subject = session.subject(CONFIGURATION)
    assert subject is not None
    assert (session.chosen, subject.configured, subject.settings) == ("h4", CPU, session.changes)
    assert subject.close_up is not None
    assert subject.close_up.host == "h4"
