"""VMs that are there: started again, paused, turned off, deleted; one by one and many at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from core.errors import DriverError, HostUnreachable, ReadOnly
from core.fleet.fleet import VMState
from core.hosts import HostState
from core.operations.scheduling.reserve import NoRoom
from core.operations.vms.guest_registration import NotRegistered
from core.operations.vms.power import Action, WrongState, act, on_each_host
from core.operations.vms.start import RunsElsewhere, start_vm
from core.operations.vms.target import ForeignVM, find_targets
from tests.driver.worlds import Guest, guest_xml
from tests.operations.vms.sabotage import Saboteur
from tests.operations.vms.stopped_vms import GPU, MINE
from tests.operations.vms.world import GPUS, UUID, create, target, world

if TYPE_CHECKING:
    from pathlib import Path

    from core.operations.vms.power import Done
    from tests.operations.vms.world import World


def start(realm: World, name: str, **how: bool) -> Done:
    """Start a VM."""
    found = target(realm, name)
    return realm.task(lambda control: start_vm(realm.session, control, found, **how))


def hostdevs(xml: str) -> list[str]:
    """Return the buses of a domain's PCI devices."""
    return [each.get("bus") for each in ET.fromstring(xml).iterfind("devices/hostdev/source/address")]  # noqa: S314


def test_a_start_places_devices_again_by_type(stopped: World) -> None:
    """Its own GPU was given to another VM while it was off: it gets the free one, and its mark says so."""
    assert start(stopped, "mine").state is VMState.RUNNING
    xml = stopped.domains("h1")["mine"]
    assert hostdevs(xml) == ["0x42"]
    assert f'address="{GPUS[1]}"' in xml
    (reservation,) = stopped.registry.reservations()
    assert (reservation.owner, reservation.devices) == ("", (GPU[1].address,))
    assert stopped.journal() == []
    again = start(stopped, "mine")
    assert (again.changed, again.state) == (False, VMState.RUNNING)


def test_a_start_without_a_free_device_is_refused(stopped: World) -> None:
    """With the numbers; nothing is changed."""
    second = guest_xml(Guest(name="second", devices=(GPUS[1],), mac="52:54:00:00:00:03"))
    stopped.call("h1", lambda connection: connection.start(connection.define(second)))
    stopped.session.connect().wait(lambda fleet: any(vm.name == "second" and vm.active for vm in fleet.vms()), 20)
    with pytest.raises(NoRoom, match="h1 can't take mine: h1: asked for 1 gpu, 0 free"):
        start(stopped, "mine")
    assert hostdevs(stopped.domains("h1")["mine"]) == ["0x41"]
    assert stopped.registry.reservations() == ()
    assert stopped.journal() == []


def test_no_scheduling_keeps_new_vms_away_but_not_those_that_are_there(stopped: World) -> None:
    """They are managed as before (specification, section 7)."""
    stopped.registry.set_state("h1", HostState.NO_SCHEDULING)
    assert start(stopped, "mine").state is VMState.RUNNING


def test_a_vm_that_is_active_elsewhere_is_not_started(stopped: World) -> None:
    """Not even by force: that would destroy its disk for certain."""
    stopped.call("h2", lambda connection: connection.start(connection.define(guest_xml(Guest(name="x", uuid=UUID)))))
    for force in (False, True):
        with pytest.raises(RunsElsewhere, match=r"mine \(11111111-.*\) is active on h2"):
            start(stopped, "h1/mine", force=force)
    assert stopped.registry.reservations() == ()


def test_a_host_that_can_not_be_asked_might_run_it(stopped: World) -> None:
    """Refused, unless the administrator knows better; a host that is disabled is told of."""
    lost = stopped.registry.host("h2")
    stopped.registry.replace(lost, replace(lost, uri="test:///nowhere/node.xml"), stopped.session.configuration)
    stopped.session.connect().wait(lambda fleet: fleet.hosts[1].connection == "unreachable", 20)
    with pytest.raises(RunsElsewhere, match="cannot check whether mine is running on h2"):
        start(stopped, "mine")
    assert start(stopped, "mine", force=True).state is VMState.RUNNING
    assert any("h2 did not answer" in warning for warning in stopped.last_task().warnings)


def test_a_vm_that_does_not_register_is_stopped_and_nothing_of_it_removed(tmp_path: Path) -> None:
    """Its start has failed; it stands as before."""
    with world(tmp_path, guests=((MINE,),), door=50000, timeout="1 s") as realm:
        with pytest.raises(NotRegistered, match="mine on h1 has not registered within 1 second"):
            start(realm, "mine")
        assert " id=" not in realm.domains("h1")["mine"].partition(">")[0]
        assert realm.registry.reservations() == ()
        assert realm.journal() == []


def test_a_start_that_fails_gives_its_room_back(stopped: World) -> None:
    """The domain is removed by someone just before."""
    found = target(stopped, "mine")

    def deed() -> None:
        stopped.call("h1", lambda connection: connection.undefine(UUID))

    with pytest.raises(DriverError):
        stopped.task(lambda control: start_vm(stopped.session, Saboteur(control, "start", deed), found))
    assert stopped.registry.reservations() == ()
    assert stopped.journal() == []


def test_foreign_vms_are_changed_only_on_purpose(stopped: World) -> None:
    """And one that has devices of its own keeps these very ones, or does not start."""
    with pytest.raises(ForeignVM, match="h1/theirs is foreign"):
        target(stopped, "theirs")
    found = target(stopped, "theirs", foreign=True)
    assert stopped.task(lambda control: start_vm(stopped.session, control, found, wait=False)).changed
    with_gpu = guest_xml(Guest(name="gpu", devices=(GPUS[0],)))
    stopped.call("h1", lambda connection: connection.define(with_gpu))
    stopped.session.connect().wait(lambda fleet: any(vm.name == "gpu" for vm in fleet.vms()), 20)
    found = target(stopped, "gpu", foreign=True)
    with pytest.raises(NoRoom, match=r"gpu needs 0000:41:00\.0, which holder has"):
        stopped.task(lambda control: start_vm(stopped.session, control, found, wait=False))


@pytest.mark.parametrize(
    ("actions", "state"),
    [
        ((Action.PAUSE,), VMState.PAUSED),
        ((Action.PAUSE, Action.RESUME), VMState.RUNNING),
        ((Action.REBOOT,), VMState.RUNNING),
        ((Action.OFF,), VMState.OFF),
        ((Action.SHUTDOWN,), VMState.OFF),
    ],
)
def test_what_is_done_to_a_vm_is_seen_at_once(stopped: World, actions: tuple[Action, ...], state: VMState) -> None:
    """In the very next list; doing it again changes nothing."""
    for action in actions:
        found = target(stopped, "holder", foreign=True)
        done = stopped.task(lambda control, found=found, action=action: act(stopped.session, control, found, action))
        assert done.changed
    fleet = stopped.session.fleet()
    assert next(vm.state for vm in fleet.vms() if vm.name == "holder") is state
    if actions[-1] is not Action.REBOOT:
        again = stopped.task(lambda control: act(stopped.session, control, found, actions[-1]))
        assert (again.changed, again.state) == (False, state)


@pytest.mark.parametrize(
    ("before", "action", "message"),
    [
        (None, Action.PAUSE, "h1/mine is off: nothing to pause"),
        (None, Action.RESUME, "h1/mine is off: nothing to resume"),
        (None, Action.REBOOT, "h1/mine is off: nothing to reboot"),
        (Action.PAUSE, Action.REBOOT, "h1/mine is paused: resume it first"),
    ],
)
def test_what_a_state_does_not_allow_is_told_in_plain_words(
    stopped: World, before: Action | None, action: Action, message: str
) -> None:
    """And with what is to be done first."""
    if before is not None:
        start(stopped, "mine")
        stopped.task(lambda control: act(stopped.session, control, target(stopped, "mine"), before))
    with pytest.raises(WrongState, match=message) as refused:
        stopped.task(lambda control: act(stopped.session, control, target(stopped, "mine"), action))
    assert refused.value.hint.startswith("realms vms ")


def test_a_vm_that_is_gone_is_told(stopped: World) -> None:
    """It was there when it was named."""
    found = target(stopped, "holder", foreign=True)
    stopped.call("h1", lambda connection: connection.force_off(found.vm.uuid))
    stopped.call("h1", lambda connection: connection.undefine(found.vm.uuid))
    stopped.session.connect().wait(lambda fleet: all(vm.name != "holder" for vm in fleet.vms()), 20)
    with pytest.raises(DriverError, match="holder no longer exists"):
        stopped.task(lambda control: act(stopped.session, control, found, Action.OFF))


def test_many_vms_are_done_at_once_and_each_has_its_own_outcome(stopped: World) -> None:
    """One fails, the others don't wait for it; the order is that of the command line."""
    stopped.call("h2", lambda connection: connection.start(connection.define(guest_xml(Guest(name="far")))))
    stopped.session.connect().wait(lambda fleet: any(vm.name == "far" and vm.active for vm in fleet.vms()), 20)
    names = ["far", "mine", "holder"]
    found = find_targets(stopped.session, names, foreign=True, timeout=30)
    outcomes = stopped.task(
        lambda control: on_each_host(
            control, found, lambda branch, each: act(stopped.session, branch, each, Action.PAUSE)
        )
    )
    assert [done.target.vm.name for done in outcomes] == names
    assert [done.error is None for done in outcomes] == [True, False, True]


def test_a_vm_of_a_silent_host_is_not_touched(stopped: World) -> None:
    """What it does meanwhile is unknown."""
    stopped.session.settled_fleet(30)
    (stopped.folder / "h1.xml").unlink()
    stopped.call("h1", lambda connection: connection.handle.close())
    stopped.session.connect().wait(lambda fleet: fleet.hosts[0].connection == "unreachable", 30)
    with pytest.raises(HostUnreachable, match="h1: it is unreachable"):
        target(stopped, "mine")


def test_nothing_is_done_read_only(stopped: World) -> None:
    """Before any host is asked."""
    stopped.session.read_only = True
    with pytest.raises(ReadOnly):
        target(stopped, "mine")
    with pytest.raises(ReadOnly):
        create(stopped)
