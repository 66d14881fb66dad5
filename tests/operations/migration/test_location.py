"""Where a VM is: every pair of what two hosts may say, told plainly, and never more than they said."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.driver.migration.migration import ABSENT, Sight
from core.fleet.fleet import VMState
from core.hosts import Host
from core.operations.migration.location import SETTLING, SILENCE, LocationState, VMLocation, wait_until_settled

RUNNING = Sight(active=True, defined=True, state=VMState.RUNNING)
OFF = Sight(active=False, defined=True, state=VMState.OFF)
INCOMING = Sight(active=True, defined=False, state=VMState.PAUSED, incoming=True, busy=True)

SIGHTS = st.one_of(
    st.none(),
    st.builds(
        Sight,
        active=st.booleans(),
        defined=st.booleans(),
        state=st.sampled_from([VMState.RUNNING, VMState.PAUSED]),
        incoming=st.booleans(),
        held_by_migration=st.booleans(),
        busy=st.booleans(),
    ),
)


def found(here: Sight | None, there: Sight | None) -> VMLocation:
    """Return what two hosts say of `web`."""
    return VMLocation("web", "h1", "h2", here, there, "cut off", "cut off")


@pytest.mark.parametrize(
    ("here", "there", "place", "says", "hint"),
    [
        (RUNNING, ABSENT, LocationState.SOURCE, "web is running on h1; h2 doesn't have it", ""),
        (RUNNING, OFF, LocationState.SOURCE, "web is running on h1; on h2 it is off", ""),
        (ABSENT, RUNNING, LocationState.TARGET, "web is running on h2; h1 no longer runs it", ""),
        (RUNNING, INCOMING, LocationState.BOTH, "h2 has an unfinished copy", "stops its copy"),
        (RUNNING, RUNNING, LocationState.BOTH, "h2 has a copy that is running", "stop one of them now"),
        (OFF, ABSENT, LocationState.OFF_AT_SOURCE, "defined only on h1", "realms vms start h1/web"),
        (ABSENT, OFF, LocationState.OFF_AT_TARGET, "defined only on h2", "realms vms start h2/web"),
        (OFF, OFF, LocationState.OFF_AT_BOTH, "defined on both", "undefine it on the other"),
        (ABSENT, ABSENT, LocationState.NOWHERE, "web is no longer on h1 or h2", "backup"),
        (None, ABSENT, LocationState.UNKNOWN, "h1 is unreachable (cut off), h2 doesn't have it", "before h1 answers"),
        (RUNNING, None, LocationState.UNKNOWN, "on h1 it is running, h2 is unreachable", "before h2 answers"),
        (None, None, LocationState.UNKNOWN, "h1 is unreachable", "before h1 and h2 answer"),
    ],
)
def test_what_two_hosts_say_is_one_place(
    here: Sight | None, there: Sight | None, place: LocationState, says: str, hint: str
) -> None:
    """With what to do, where anything is to be done."""
    where = found(here, there)
    assert where.place is place
    assert says in where.message
    assert hint in where.hint
    assert bool(where.hint) == bool(hint)


@given(SIGHTS, SIGHTS)
def test_commands_are_safe_to_paste(here: Sight | None, there: Sight | None) -> None:
    """Whatever the VM is called: its name is one quoted word, alone or behind its host's."""
    name = "a$(touch x);b"
    hint = replace(found(here, there), vm=name).hint
    for quoted in (f"'h1/{name}'", f"'h2/{name}'", f"'{name}'"):
        hint = hint.replace(quoted, "")
    assert name not in hint


@given(SIGHTS, SIGHTS)
def test_a_silent_host_is_never_said_to_have_it_or_not(here: Sight | None, there: Sight | None) -> None:
    """And who has it active on both sides is never said to have it on one."""
    where = found(here, there)
    assert (where.place is LocationState.UNKNOWN) == (here is None or there is None)
    assert where.message
    if here is not None and there is not None:
        assert (where.place is LocationState.BOTH) == (here.active and there.active)
        assert (where.place is LocationState.SOURCE) == (here.active and not there.active)
    if where.place is LocationState.UNKNOWN:
        assert "is unreachable" in where.message
        assert where.hint


class Looks:
    """Answers of two hosts, one after another; the last stays. Time passes while one waits."""

    def __init__(self, *answers: VMLocation) -> None:
        self.answers = list(answers)
        self.now = 0.0

    def ask(self, vm: str, uuid: str, source: Host, target: Host) -> VMLocation:
        """Return the next answer."""
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def settle(self) -> VMLocation:
        """Ask until it is settled."""
        host = Host(name="h1", realm="lab", uri="qemu+ssh://h1/system", profile="lab")
        return wait_until_settled(
            "web", "u", host, replace(host, name="h2"), monotonic=lambda: self.now, wait=self.wait, ask=self.ask
        )


def test_libvirt_is_given_time_to_clean_up() -> None:
    """An unfinished copy is gone at the third look, and the first two are not told."""
    looks = Looks(found(RUNNING, INCOMING), found(RUNNING, INCOMING), found(RUNNING, ABSENT))
    assert looks.settle().place is LocationState.SOURCE
    assert looks.now == 2.0


def test_a_copy_that_stays_is_told_in_the_end() -> None:
    """Nobody waits for ever."""
    looks = Looks(found(RUNNING, INCOMING))
    assert looks.settle().place is LocationState.BOTH
    assert looks.now == SETTLING


def test_a_silent_host_is_waited_for_a_short_while() -> None:
    """Its daemon may be back; a host that is cut off is not."""
    looks = Looks(found(RUNNING, None))
    assert looks.settle().place is LocationState.UNKNOWN
    assert looks.now == SILENCE
    assert Looks(found(RUNNING, None), found(RUNNING, ABSENT)).settle().place is LocationState.SOURCE
