"""The order of a VM: fields read while they are written, hosts judged beside them, and the VM made at the end."""

from __future__ import annotations

from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING

import pytest
from textual import events

from core.fleet.fleet import VMState
from core.operations.tasks.task import Progress
from core.operations.vms.create import create_vm
from core.operations.vms.spec import ExistingDrive, NewDrive
from core.placement.engine.request import Request
from core.realms import DriveSettings
from tests.driver.worlds import LONG
from tests.operations.vms.world import GIB, MIB, open_door, order, world
from tests.tui import world as standing_world
from tests.tui.driving import ended, grid_of, settle, told, until
from tests.tui.sizes import MIDDLE, SIZES
from tui.app.app import RealmsApp
from tui.forms.vm_spec import Draft, Known, read_draft, read_drives
from tui.jobs.vms import create_job
from tui.render.cells import plain
from tui.render.vms.create import headline
from tui.screens.dialogs.picker import Picker
from tui.screens.vms.create import CreateVM
from tui.screens.vms.host_table import HostChoice
from tui.widgets.fields import FieldRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from textual.pilot import Pilot

    from core.operations.session import Session
    from core.operations.tasks.task import Control
    from core.operations.vms.spec import Order
    from tests.operations.vms.world import World


@pytest.fixture
def realm(tmp_path: Path) -> Iterator[World]:
    """Two empty hosts, on which VMs answer as soon as they run."""
    with open_door() as door, world(tmp_path, door=door) as made:
        yield made


def draft(**values: str) -> Draft:
    """Make a draft that is right, but for these fields."""
    begun = Draft.begin(standing_world.CONFIGURATION, Request(2, GIB))
    begun.values |= {
        "name": "web-9",
        "brick": "debian",
        **{key.replace("_", "-"): text for key, text in values.items()},
    }
    return begun


def faults(known: Known | None = None, **values: str) -> dict[str, str]:
    """Return what is wrong with such a draft, by field."""
    bounded = replace(
        standing_world.CONFIGURATION,
        realms={
            "main": replace(
                standing_world.CONFIGURATION.realms["main"], drives=DriveSettings(min_size=MIB, max_size=100 * GIB)
            )
        },
    )
    reading = read_draft(draft(**values), bounded, standing_world.saved().fleet(), known or Known())
    assert (reading.order is None) == any(fault.refused for fault in reading.faults.values())
    return {key: fault.text for key, fault in reading.faults.items()}


async def in_form(pilot: Pilot[int], key: str = "n") -> CreateVM:
    """Open the form, once the hosts have answered and told which bricks there are."""
    app = pilot.app
    assert isinstance(app, RealmsApp)
    await until(pilot, lambda: app.fleet is not None and all(host.is_known for host in app.fleet.hosts))
    await pilot.press("2")
    await settle(pilot)
    await pilot.press(key)
    await settle(pilot)
    form = app.screen
    assert isinstance(form, CreateVM)
    return form


def write(form: CreateVM, **values: str) -> None:
    """Write into fields."""
    for key, text in values.items():
        form.query_one(f"#field-{key}", FieldRow).write(text)


# Reading -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("name", "", "is required"),
        ("name", "web 9", "letters, digits"),
        ("name", "web-00", "a VM of that name exists on h1"),
        ("brick", "", "is required"),
        ("vcpus", "0", "must be 1 or more"),
        ("vcpus", "", "is required"),
        ("vcpus", "two", "a whole number"),
        ("memory", "8 Gib", "did you mean"),
        ("memory", "0", "more than 0"),
        ("drives", "200 GiB", "max-size"),
        ("drives", "10 gib", "did you mean"),
        ("drives", "1 K", "min-size"),
        ("drives", "a.qcow2, a.qcow2", "twice"),
        ("realm", "nowhere", "no enabled realm"),
    ],
)
def test_what_is_wrong_with_a_field_is_said(field: str, text: str, said: str) -> None:
    """And nothing can be ordered then."""
    found = faults(**{field: text})
    assert list(found) == [field]
    assert said in found[field]


def test_names_that_nobody_has_seen_are_only_doubted() -> None:
    """The hosts that answered may not be all."""
    found = faults(Known(frozenset({"debian.qcow2"}), frozenset({"b.qcow2"})), drives="a.qcow2", brick="suse")
    assert "no such brick" in found["brick"]
    assert "neither a size nor a known drive" in found["drives"]
    assert faults(Known(frozenset({"debian.qcow2"}), frozenset({"b.qcow2"})), drives="b.qcow2") == {}


def test_drives_are_sizes_or_names() -> None:
    """A bare number is GiB, as for memory."""
    assert read_drives(" 100 GiB ,data.qcow2,, 2") == (
        NewDrive(100 * GIB),
        ExistingDrive("data.qcow2"),
        NewDrive(2 * GIB),
    )


def test_everything_in_the_fields_is_in_the_order() -> None:
    """Whatever a command can order, the form can."""
    wanted = draft(
        vcpus="8", memory="16", drives="1 GiB, data.qcow2", boot="copy", filter="none", registration="keep",
        virtualization="qemu", in_use="take", device_0="2",
    )  # fmt: skip
    wanted.host = "h3"
    reading = read_draft(wanted, standing_world.CONFIGURATION, None, Known())
    order = reading.order
    assert order is not None
    assert (order.vcpus, order.memory_bytes, dict(order.devices)) == (8, 16 * GIB, {"a100": 2})
    assert (order.full_copy, order.network_filter, order.keep, order.wait, order.force) == (
        True,
        None,
        True,
        True,
        True,
    )
    assert (order.host, order.virtualization) == ("h3", "qemu")
    assert reading.request == order.request()


# Making a VM ---------------------------------------------------------------------------------------------------------


async def test_a_vm_is_ordered_and_registers(realm: World) -> None:
    """With the only brick, which stands there by itself, and a drive; on the host that was shown."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        form = await in_form(pilot)
        assert form.query_one("#field-brick", FieldRow).value == "debian.qcow2"
        await pilot.press(*"web-9")
        write(form, vcpus="2", memory="1", drives="2 MiB")
        await settle(pilot)
        best = form.choice.best
        assert best is not None
        assert best.host == "h1"
        assert "best h1" in headline(form.choice, form.reading)[0]
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert not isinstance(app.screen, CreateVM)
        await ended(pilot)
        view = realm.last_task()
        assert (view.what, view.target, view.progress) == ("create", "web-9", Progress.DONE)
        assert any(message.startswith("h1/web-9: created, registered after") for message in told(app))
        assert set(realm.domains("h1")) == {"web-9"}
        made = next(vm for vm in realm.session.fleet().vms() if vm.name == "web-9")
        assert (made.state, made.vcpus, made.memory_bytes) == (VMState.RUNNING, 2, GIB)
        assert len([volume for volume in realm.volumes("h1") if volume.startswith("ticrypt-vm-drives/")]) == 1


@pytest.mark.parametrize("moved", [False, True])
async def test_the_cursor_goes_to_the_new_vm_unless_it_was_moved(
    realm: World, moved: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever went on to another row is not taken away from it."""
    for name in ("a", "b"):
        realm.task(lambda control, name=name: create_vm(realm.session, control, order(name, host="h1", wait=False)))
    begin = Event()

    def held(session: Session, order: Order) -> Callable[[Control], str]:
        def job(control: Control) -> str:
            assert begin.wait(LONG)
            return create_job(session, order)(control)

        return job

    monkeypatch.setattr("tui.screens.vms.create.create_job", held)
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        form = await in_form(pilot)
        await pilot.press(*"web-9")
        write(form, vcpus="1", memory="1")
        await settle(pilot)
        await pilot.press("ctrl+s")
        if moved:
            await pilot.press("down")
        begin.set()
        await ended(pilot)
        made = next(vm for vm in realm.session.fleet().vms() if vm.name == "web-9")
        await until(pilot, lambda: grid_of(app).model.row(made.key) is not None)
        assert (grid_of(app).cursor_key == made.key) is not moved


async def test_a_host_that_was_chosen_takes_it_although_another_is_cheaper(realm: World) -> None:
    """Enter on its row; again, or on the first row, leaves it to placement."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        form = await in_form(pilot)
        write(form, name="web-9", memory="1", registration="go-on")
        await settle(pilot)
        await pilot.press("f3", "j", "j", "enter")
        await settle(pilot)
        assert form.choice.host == "h2"
        await pilot.press("enter")
        await settle(pilot)
        assert form.choice.host is None
        await pilot.press("enter", "ctrl+s")
        await ended(pilot)
        assert set(realm.domains("h2")) == {"web-9"}


async def test_the_ranking_follows_every_key(realm: World) -> None:
    """Up to where no host can take it: then nothing is ordered, and the reason stands there."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        form = await in_form(pilot)
        write(form, name="web-9", memory="1")
        costs = []
        for text in ("1", "4", "12"):
            write(form, memory=text)
            await settle(pilot)
            best = form.choice.best
            assert best is not None
            assert best.cost is not None
            costs.append(best.cost.total)
        assert costs == sorted(set(costs))
        write(form, memory="17")
        await settle(pilot)
        assert form.choice.best is None
        row = form.query_one(HostChoice).model.row("h1")
        assert row is not None
        assert "memory infinite" in plain(row.cells[-1])
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert isinstance(app.screen, CreateVM)
        assert any("None of 2 hosts can take it: memory infinite" in message for message in told(app))
        assert not realm.session.tasks.views()


async def test_faults_stand_at_their_fields_and_the_first_gets_the_focus(realm: World) -> None:
    """Nothing is complained of that nobody has touched, until one wants to create."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        form = await in_form(pilot)
        name = form.query_one("#field-name", FieldRow)
        assert name._told == ("", False)
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert "a name is required" in name._told[0]
        assert app.screen.focused is name.editor
        await pilot.press(*"web-9")
        await settle(pilot)
        assert name._told == ("", False)


async def test_bricks_are_chosen_from_a_list(realm: World) -> None:
    """As a host sees them."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        form = await in_form(pilot)
        write(form, brick="")
        await pilot.press("f2")
        await settle(pilot)
        assert isinstance(app.screen, Picker)
        await pilot.press("enter")
        await settle(pilot)
        assert form.query_one("#field-brick", FieldRow).value == "debian.qcow2"


async def test_what_was_typed_survives_going_back(realm: World) -> None:
    """Until the VM is ordered."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        form = await in_form(pilot)
        write(form, name="half-typed", vcpus="7")
        await settle(pilot)
        await pilot.press("escape")
        await settle(pilot)
        assert not isinstance(app.screen, CreateVM)
        again = await in_form(pilot)
        assert again.query_one("#field-name", FieldRow).value == "half-typed"
        assert again.query_one("#field-vcpus", FieldRow).value == "7"


async def test_a_form_that_is_closed_wants_no_answer(realm: World) -> None:
    """Hosts may answer later than one waits."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        form = await in_form(pilot)
        await pilot.press("f5", "escape")
        await settle(pilot)
        assert not form.background.is_busy
        assert app.is_running


async def test_plus_and_minus_take_round_values(realm: World) -> None:
    """Of vCPUs and memory."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        form = await in_form(pilot)
        write(form, vcpus="4")
        vcpus = form.query_one("#field-vcpus", FieldRow)
        vcpus.edit()
        await pilot.press("plus", "plus", "minus")
        await settle(pilot)
        assert vcpus.value == "5"


async def test_keys_that_come_at_once_act_in_their_order(realm: World) -> None:
    """As over a slow line, or pasted: what is typed behind a backspace stays."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        form = await in_form(pilot)
        write(form, vcpus="4")
        vcpus = form.query_one("#field-vcpus", FieldRow)
        vcpus.edit()
        await settle(pilot)
        for key, character in (("ctrl+a", None), ("ctrl+k", None), ("backspace", None), ("1", "1"), ("6", "6")):
            app.post_message(events.Key(key, character))
        await settle(pilot)
        assert vcpus.value == "16"
        for key, character in (("plus", "+"), ("backspace", None), ("3", "3")):
            app.post_message(events.Key(key, character))
        await settle(pilot)
        assert vcpus.value == "23"


async def test_a_saved_fleet_takes_no_orders() -> None:
    """The key says why."""
    app = RealmsApp(standing_world.saved())
    async with app.run_test(size=MIDDLE) as pilot:
        await pilot.press("2", "n")
        await settle(pilot)
        assert len(app.screen_stack) == 1
        assert told(app) == ["Nothing can be changed: a saved fleet can't be changed."]


# Whole screens -------------------------------------------------------------------------------------------------------


@SIZES
@pytest.mark.parametrize("state", ["begun", "filled", "wrong", "chosen"])
def test_the_form(
    picture: Callable[..., bool], monkeypatch: pytest.MonkeyPatch, realm: World, size: tuple[int, int], state: str
) -> None:
    """Begun; filled in; with mistakes; with a host that was chosen and can't take it."""
    monkeypatch.delenv("REALMS_VIRTUALIZATION", raising=False)

    async def prepare(pilot: Pilot[int]) -> None:
        form = await in_form(pilot)
        write(form, vcpus="2", memory="1 GiB")
        if state == "filled":
            write(form, name="web-9", drives="100 MiB, data.qcow2", boot="copy")
        elif state == "wrong":
            write(form, name="web 9", brick="", vcpus="0", drives="20 GiB")
        elif state == "chosen":
            write(form, name="web-9", memory="12")
            await settle(pilot)
            await pilot.press("f3", "j", "enter")
            write(form, memory="20")

    assert picture(RealmsApp(realm.session), size, prepare=prepare)


def test_the_list_of_bricks(picture: Callable[..., bool], monkeypatch: pytest.MonkeyPatch, realm: World) -> None:
    """Over the form; one host is asked, since the list names the one that answered first."""
    monkeypatch.setattr("core.operations.vms.queries.MOST_ASKED", 1)

    async def prepare(pilot: Pilot[int]) -> None:
        await in_form(pilot)
        await pilot.press("f2")
        await settle(pilot)

    assert picture(RealmsApp(realm.session), (80, 24), prepare=prepare)
