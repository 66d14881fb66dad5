"""The area of pools on real hosts of the test driver: what it shows, what it does, and the wizard."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from textual.widgets import Button, Static

from core.errors import HostTimeout
from core.fleet.fleet import PoolState
from core.hosts import Host
from core.operations.storage.pool_report import HostPools, PoolRole
from core.operations.tasks.task import Progress
from tests.driver.silence import silent_host
from tests.operations.vms.world import POOLS, world
from tests.tui.driving import grid_of, reworded, screen_text, settle, text_of, told, until
from tests.tui.hostile import HOSTILE, assert_clean, hostile_world
from tests.tui.screens.pools import pools_world
from tests.tui.sizes import MIDDLE
from tui.app.app import RealmsApp
from tui.render.cells import Tone, plain
from tui.render.pools.setup_run import SetupRun
from tui.screens.dialogs.confirm import Confirm
from tui.screens.pools.area import PoolsScreen
from tui.screens.pools.contents import PoolContentsScreen
from tui.screens.pools.image_forms import DriveDialog, UploadDialog
from tui.screens.pools.setup.wizard import PoolsWizard
from tui.widgets.panel import Panel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from textual.pilot import Pilot

    from tests.operations.vms.world import World


@pytest.fixture
def realm(tmp_path: Path) -> Iterator[World]:
    """h1 and h2, with all four pools and a brick."""
    with world(tmp_path) as made:
        yield made


def lose_pools(realm: World, host: str, *names: str) -> None:
    """Take pools away from a host."""

    def lose(connection):
        for name in names:
            pool = connection.handle.storagePoolLookupByName(name)
            with suppress(Exception):
                pool.destroy()
            pool.undefine()

    realm.call(host, lose)


async def at_pools(pilot: Pilot[int], *, hosts: int = 2) -> RealmsApp:
    """Go to the area, and wait for the figures of so many hosts."""
    app = pilot.app
    assert isinstance(app, RealmsApp)
    await pilot.press("4")
    await until(pilot, lambda: sum(sight.at is not None for sight in app.pool_sight.hosts.values()) >= hosts)
    await settle(pilot)
    return app


def cells(app: RealmsApp, host: str) -> list[str]:
    """Return what a host's row says, but the realm."""
    model = grid_of(app).model
    row = model.row(host)
    assert row is not None
    columns = [column.key for column in model.columns]
    return [plain(cell) for key, cell in zip(columns, row.cells, strict=True) if key != "realm"]


def panel(app: RealmsApp) -> str:
    """Return what the panel shows."""
    return text_of(app.screen.query_one(Panel))


async def at_page(pilot: Pilot[int], number: int) -> PoolsWizard:
    """Wait until a page of the wizard is in front."""
    await until(pilot, lambda: isinstance(pilot.app.screen, PoolsWizard) and pilot.app.screen.at == number)
    await settle(pilot)
    wizard = pilot.app.screen
    assert isinstance(wizard, PoolsWizard)
    return wizard


async def to_checks(pilot: Pilot[int], app: RealmsApp) -> PoolsWizard:
    """Open the wizard on all hosts and all pools, and go to its checks once all have answered."""
    await pilot.press("ctrl+a", "S")
    await at_page(pilot, 0)
    await pilot.press("ctrl+s")
    wizard = await at_page(pilot, 1)
    if len(wizard.page.choices.selected) < len(POOLS):  # type: ignore[attr-defined]
        await pilot.press("a")
        await settle(pilot)
    await pilot.press("ctrl+s")
    await at_page(pilot, 2)
    await pilot.press("ctrl+s")
    wizard = await at_page(pilot, 3)
    await settle(pilot)
    return wizard


def run_ended(app: RealmsApp) -> bool:
    """Whether the task that was started last has ended."""
    views = app.session.tasks.views()
    return bool(views) and not views[-1].is_running


async def test_each_pool_says_its_state_and_what_is_free(realm: World) -> None:
    """State comes with the fleet, figures when the host was asked; a pool that goes missing is seen."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_pools(pilot)
        free = ["ok 100 GiB", "ok 100 GiB", "ok 99.9 GiB", "ok 100 GiB"]
        assert cells(app, "h1") == ["h1", "live", *free, "?", realm.hosts[0].uri]
        lose_pools(realm, "h2", "ticrypt-vm-snapshots")
        await until(pilot, lambda: cells(app, "h2")[5] == "missing")
        await pilot.press("G")
        await settle(pilot)
        assert "snapshots are missing" in panel(app)
        assert "press S to set up what is missing" in panel(app)
        assert "other hosts: dir at /pools/ticrypt-vm-snapshots" in panel(app)


async def test_a_host_that_hangs_is_unknown_and_holds_up_nobody(realm: World) -> None:
    """The others' figures are there while it still says nothing."""
    with silent_host() as silent:
        host = Host(name="h3", realm="main", uri=silent.uri, profile="node")
        realm.registry.add(host, realm.session.configuration)
        app = RealmsApp(realm.session)
        async with app.run_test(size=MIDDLE) as pilot:
            await at_pools(pilot)
            await until(pilot, lambda: grid_of(app).model.row("h3") is not None)
            assert cells(app, "h1")[2] == "ok 100 GiB"
            assert cells(app, "h3")[2:7] == ["?", "?", "?", "?", "-"]


async def test_what_is_not_shared_is_found_out(realm: World) -> None:
    """The hosts of the test driver share nothing: the proof tells, and each stands alone."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_pools(pilot)
        await pilot.press("p")
        await until(pilot, lambda: run_ended(app) and cells(app, "h1")[6] == "NO")
        assert cells(app, "h2")[2] == "alone 100 GiB"
        assert any("pool ticrypt-vm is not shared: h1 | h2" in message for message in told(app))
        assert "are not shared (h1 | h2)" in panel(app)


async def test_figures_are_asked_again(realm: World) -> None:
    """A drive that was made meanwhile takes its space."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_pools(pilot)
        xml = "<volume><name>big</name><capacity unit='G'>60</capacity><allocation unit='G'>60</allocation></volume>"
        realm.call("h1", lambda to: to.handle.storagePoolLookupByName("ticrypt-vm-drives").createXML(xml, 0) and None)
        await pilot.press("r")
        await until(pilot, lambda: cells(app, "h1")[3] == "ok 40 GiB")


async def test_the_contents_are_listed_with_those_who_use_them(realm: World) -> None:
    """Enter goes in; a drive is created, shown, and deleted again once that was asked."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_pools(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, PoolContentsScreen))
        await until(pilot, lambda: grid_of(app).model.row(("bricks", "debian.qcow2")) is not None)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, DriveDialog))
        await pilot.press(*"data", "tab", *"9", "ctrl+s")
        await settle(pilot)
        assert isinstance(app.screen, DriveDialog)
        assert "multiple of 512" in screen_text(app) or "less than drives.min-size" in screen_text(app)
        await pilot.press("backspace", *"64", "space", *"MiB", "ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, PoolContentsScreen) and run_ended(app))
        await until(pilot, lambda: grid_of(app).model.row(("drives", "data")) is not None)
        assert "ticrypt-vm-drives/data" in realm.volumes("h1")
        app.screen.query_one(type(grid_of(app))).go_to(("drives", "data"))
        await pilot.press("delete")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        assert isinstance(app.focused, Button)
        assert app.focused.id == "cancel"
        await pilot.press("tab", "enter")
        await until(pilot, lambda: "Drive data deleted." in told(app))
        await until(pilot, lambda: grid_of(app).model.row(("drives", "data")) is None)
        assert "ticrypt-vm-drives/data" not in realm.volumes("h1")


async def test_a_brick_in_use_is_not_deleted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is asked: who uses it is told at once."""
    app = RealmsApp(pools_world.standing(monkeypatch, tmp_path, pools_world.healthy()))
    async with app.run_test(size=MIDDLE) as pilot:
        await at_pools(pilot, hosts=4)
        await pilot.press("enter")
        await until(pilot, lambda: grid_of(app).model.row(("bricks", "debian-12.qcow2")) is not None)
        await settle(pilot)
        await pilot.press("delete")
        await settle(pilot)
        assert isinstance(app.screen, PoolContentsScreen)
        assert any("debian-12.qcow2 is in use by overlay ticrypt-vm/web-1.qcow2" in message for message in told(app))


async def test_where_a_host_was_not_asked_its_name_has_to_be_typed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nobody can tell whether the brick is in use there."""
    app = RealmsApp(pools_world.standing(monkeypatch, tmp_path, pools_world.healthy()))
    async with app.run_test(size=MIDDLE) as pilot:
        await at_pools(pilot, hosts=4)
        await pilot.press("enter")
        await until(pilot, lambda: grid_of(app).model.row(("bricks", "rocky-9.qcow2")) is not None)
        await settle(pilot)
        await pilot.press("j", "delete")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        assert "Cannot verify that it is unused" in screen_text(app)
        assert app.screen.query_one("#do", Button).disabled


async def test_a_file_that_is_no_brick_is_refused_before_anything_is_sent(realm: World, tmp_path: Path) -> None:
    """The form stays, and says why."""
    (tmp_path / "empty.qcow2").write_bytes(b"")
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_pools(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, PoolContentsScreen))
        await pilot.press("u")
        await until(pilot, lambda: isinstance(app.screen, UploadDialog))
        dialog = app.screen
        assert isinstance(dialog, UploadDialog)
        for name, why in (("nowhere.qcow2", "no such file or directory"), ("empty.qcow2", "is empty")):
            dialog.row("file").write(str(tmp_path / name))
            await settle(pilot)
            assert dialog.value("name") == name
            await pilot.press("ctrl+s")
            told = dialog.query_one("#told", Static)
            await until(pilot, lambda why=why, told=told: why in " ".join(text_of(told).split()))
        assert isinstance(app.screen, UploadDialog)
        assert app.session.tasks.views() == ()


async def test_the_wizard_sets_up_what_is_missing_and_finds_nothing_to_do_then(realm: World) -> None:
    """It proposes the place of the other pools, and nothing is done before its last step."""
    lose_pools(realm, "h2", "ticrypt-vm-snapshots", "ticrypt-vm-drives")
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_pools(pilot)
        wizard = await to_checks(pilot, app)
        assert wizard.draft.request is not None
        assert wizard.draft.request.base == "/pools"
        assert "2 pools to create" in screen_text(app)
        await pilot.press("ctrl+s")
        await at_page(pilot, 4)
        assert "<name>ticrypt-vm</name>" in screen_text(app)
        assert "ticrypt-vm-drives" not in realm.call("h2", pool_names)
        await pilot.press("ctrl+s")
        await at_page(pilot, 5)
        await until(pilot, lambda: "Done: the pools are set up." in screen_text(app))
        view = app.session.tasks.views()[-1]
        first, second = (SetupRun(each, wizard.page.checks()).lines(100) for each in (view, reworded(view)))
        decided = [[(tone, words == "set up") for words, tone in line if words.strip()] for line in first[:3]]
        assert [[(tone, words == "set up") for words, tone in line if words.strip()] for line in second[:3]] == decided
        assert sum(made for line in decided for _, made in line) == 2
        assert set(realm.call("h2", pool_names)) == set(POOLS)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, PoolsScreen) and cells(app, "h2")[5].startswith("ok"))
        assert grid_of(app).model.marks == set()
        await to_checks(pilot, app)
        assert "8 already set up" in screen_text(app)
        await pilot.press("ctrl+s")
        await at_page(pilot, 4)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "Nothing to do: the pools are already set up." in screen_text(app))


def pool_names(connection) -> list[str]:
    """Return the names of a host's pools."""
    return [str(pool.name()) for pool in connection.handle.listAllStoragePools(0)]


async def test_a_pool_that_is_another_one_stops_the_wizard_before_the_preview(realm: World) -> None:
    """What is there is never changed into something else."""
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_pools(pilot)
        await pilot.press("S")
        await at_page(pilot, 0)
        await pilot.press("ctrl+s")
        await at_page(pilot, 1)
        await pilot.press("ctrl+s")
        wizard = await at_page(pilot, 2)
        wizard.page.row("base").write("/elsewhere")  # type: ignore[attr-defined]
        await settle(pilot)
        await pilot.press("ctrl+s")
        await at_page(pilot, 3)
        await settle(pilot)
        assert "dir at /pools/ticrypt-vm; requested: dir at /elsewhere/ticrypt-vm" in wizard.page.checks().conflicts[0]
        assert "pool ticrypt-vm already" in screen_text(app)
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert wizard.at == 3
        assert app.session.tasks.views() == ()
        await pilot.press("escape", "escape", "escape", "escape")
        await until(pilot, lambda: isinstance(app.screen, PoolsScreen))


async def test_a_host_that_fails_is_told_and_the_others_keep_what_was_set_up(realm: World) -> None:
    """Back is open then."""
    lose_pools(realm, "h2", "ticrypt-vm-snapshots")
    app = RealmsApp(realm.session)
    async with app.run_test(size=MIDDLE) as pilot:
        await at_pools(pilot)
        wizard = await to_checks(pilot, app)
        await pilot.press("ctrl+s")
        await at_page(pilot, 4)
        (realm.folder / "h1.xml").unlink()  # whoever connects anew finds nothing there
        realm.session.connect().submit("h1", lambda to: to.close())
        await until(pilot, lambda: not any(host.name == "h1" and host.connection.value == "connected"
                                           for host in realm.session.fleet().hosts))  # fmt: skip
        await pilot.press("ctrl+s")
        await until(pilot, lambda: run_ended(app) and "could not be set up on 1 of 2" in screen_text(app))
        assert "Pools are set up on h2" in screen_text(app)
        assert app.session.tasks.views()[-1].progress is Progress.FAILED
        assert wizard.page.may_go_back
        assert set(realm.call("h2", pool_names)) == set(POOLS)


async def test_a_stopped_run_is_undone(realm: World) -> None:
    """The task waits for a host that hangs; what was done elsewhere goes again."""
    lose_pools(realm, "h2", "ticrypt-vm-snapshots")
    with silent_host() as silent:
        host = Host(name="h3", realm="main", uri=silent.uri, profile="node")
        realm.registry.add(host, realm.session.configuration)
        app = RealmsApp(realm.session)
        async with app.run_test(size=MIDDLE) as pilot:
            await at_pools(pilot)
            await until(pilot, lambda: grid_of(app).model.row("h3") is not None)
            await to_checks(pilot, app)
            assert "skipped unless it answers" in screen_text(app)
            await pilot.press("ctrl+s")
            await at_page(pilot, 4)
            await pilot.press("ctrl+s")
            await until(pilot, lambda: "ticrypt-vm-snapshots" in realm.call("h2", pool_names))
            app.screen.query_one("#stop", Button).press()
            await until(pilot, lambda: "Stopping" in screen_text(app))
            silent.hang_up()
            await until(pilot, lambda: run_ended(app))
            await until(pilot, lambda: "All changes are rolled back" in screen_text(app))
            assert "ticrypt-vm-snapshots" not in realm.call("h2", pool_names)


@pytest.mark.parametrize("key", ["S", "p"])
async def test_what_may_not_be_changed_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, key: str) -> None:
    """With --read-only nothing is set up, and no volume is made for a proof."""
    app = RealmsApp(pools_world.standing(monkeypatch, tmp_path, pools_world.healthy(), read_only=True))
    async with app.run_test(size=MIDDLE) as pilot:
        await at_pools(pilot, hosts=4)
        await pilot.press(key)
        await settle(pilot)
        assert isinstance(app.screen, PoolsScreen)
        assert told(app) == ["Nothing can be changed: read-only mode."]


async def test_hostile_names_harm_no_screen_of_pools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Realms, hosts, paths, errors, names of volumes."""
    app = RealmsApp(hostile_world(*HOSTILE))
    async with app.run_test(size=MIDDLE) as pilot:
        await pilot.press("4")
        await settle(pilot)
        for _ in range(2 * len(HOSTILE)):
            assert_clean(app)
            await pilot.press("j")
    given, answers = pools_world.healthy()
    for number, name in enumerate(HOSTILE[:4]):
        host = given[number].host
        bad = pools_world.facts(PoolRole.DRIVES, path=f"/x{name}", source=f"h{name}:/y", type="netfs")
        answers[host.name] = pools_world.told(host, (PoolRole.DRIVES, bad))
    failed = given[3].host
    answers[failed.name] = HostPools(failed, error=HostTimeout(failed.name, f"no answer {HOSTILE[4]}{HOSTILE[0]}"))
    app = RealmsApp(pools_world.standing(monkeypatch, tmp_path, (given, answers)))
    async with app.run_test(size=MIDDLE) as pilot:
        await at_pools(pilot, hosts=3)
        for _ in given:
            assert_clean(app)
            await pilot.press("j")
        await pilot.press("ctrl+a", "S")
        for page in range(4):
            await at_page(pilot, page)
            assert_clean(app)
            await pilot.press("ctrl+s")
            await settle(pilot)
        assert_clean(app)


def test_a_pool_that_went_missing_has_no_figures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What was told before must not stand beside a state that is newer."""
    from tui.render.pools.table import pool_views
    from tui.state.pool_cache import PoolCache

    given, answers = pools_world.healthy()
    session = pools_world.standing(monkeypatch, tmp_path, (given, answers))
    sight = PoolCache(session.clock)
    sight.take(answers["h1"])
    names = pools_world.REALM.pools
    session.see(pools_world.seen(given[0].host, pools=dict.fromkeys(names, PoolState.MISSING)))
    view = pool_views(session.fleet(), session.configuration, sight)[0]
    assert [pool.facts for pool in view.pools] == [None] * 4


def test_storage_that_does_not_answer_is_not_called_well(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its pool is active, as libvirt has it; nobody can look into it."""
    from tui.render.pools.table import pool_views
    from tui.state.pool_cache import PoolCache

    given, answers = pools_world.healthy()
    session = pools_world.standing(monkeypatch, tmp_path, (given, answers))
    sight = PoolCache(session.clock)
    first, *others = answers["h1"].pools
    dead = replace(first, unread="pool ticrypt-vm did not answer within 5 s", silent=True)
    sight.take(replace(answers["h1"], pools=(dead, *others)))
    view = pool_views(session.fleet(), session.configuration, sight)[0]
    assert view.pools[0].word == ("hangs", Tone.BAD)
    assert view.pools[0].unread == "pool ticrypt-vm did not answer within 5 s"
    assert [pool.word[0] for pool in view.pools[1:]] == ["ok"] * 3
