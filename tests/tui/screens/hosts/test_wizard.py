"""The wizard that adds a host, on hosts of libvirt's test driver, on a silent one, and on one that is not there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textual.widgets import Button, Input, Select

from core.config.reader import load
from core.driver.xml.metadata import RealmMark
from core.hosts import Host, HostState, StaticAddress
from core.operations.doctor.contact import Contact
from core.operations.findings import Checkup
from tests.driver.silence import refused_port, silent_host
from tests.driver.worlds import Guest, write_node
from tests.tui import world
from tests.tui.driving import (
    dialog_words,
    grid_of,
    left_waiting,
    names_registered,
    registered,
    settle,
    told,
    until,
    wizard_of,
)
from tests.tui.hostile import HOSTILE, assert_clean
from tests.tui.screens.hosts.wizard_world import CONFIGURATION, session_of
from tests.tui.sizes import MIDDLE
from tui.app.app import RealmsApp
from tui.screens.dialogs.confirm import Confirm
from tui.screens.hosts.wizard.profile_proposal import ProposalDialog
from tui.screens.hosts.wizard.ssh_key import KeyHelp

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot


"""What a node of the test driver is."""


def node(folder: Path) -> str:
    """Write a host with three VMs: one of the realm, a foreign one, and one that is off."""
    guests = [
        Guest(name="ours", mark=RealmMark(realm="main")),
        Guest(name="foreign", vcpus=4),
        Guest(name="asleep", state="shutoff"),
    ]
    return write_node(folder / "h9.xml", guests, pools=["ticrypt-vm"])


def next_button(app: RealmsApp) -> Button:
    """Return the button that goes on."""
    return wizard_of(app).query_one("#next", Button)


async def name_it(pilot: Pilot[int], name: str, uri: str) -> RealmsApp:
    """Open the wizard and go through its first page."""
    app = pilot.app
    assert isinstance(app, RealmsApp)
    await settle(pilot)
    await pilot.press("a", *name)
    app.screen.query_one("#uri", Input).value = uri
    await settle(pilot)
    await pilot.press("ctrl+s")
    return app


async def connected(pilot: Pilot[int], name: str, uri: str) -> RealmsApp:
    """Go on until the host has answered, or not."""
    app = await name_it(pilot, name, uri)
    await until(pilot, lambda: wizard_of(app).draft.contact is not None)
    return app


async def test_a_host_goes_from_its_name_to_the_registry(tmp_path: Path) -> None:
    """Everything is shown on the way; nothing is written before the last page's button."""
    session = session_of(tmp_path)
    app = RealmsApp(session)
    async with app.run_test(size=MIDDLE) as pilot:
        await connected(pilot, "h9", node(tmp_path))
        assert "16 cores, 64 GiB memory" in dialog_words(app)
        assert "2 running, with 6 vCPUs and 128 MiB; 1 shut off" in dialog_words(app)
        await pilot.press("enter")
        await settle(pilot)
        assert wizard_of(app).query_one("#profile", Select).value == "small"
        await pilot.press("ctrl+s")
        await settle(pilot)
        app.screen.query_one("#state", Select).value = "no-scheduling"
        app.screen.query_one("#static", Input).value = "203.0.113.9:7000"
        await settle(pilot)
        assert "10.2.0.17 \N{RIGHTWARDS ARROW} 203.0.113.9:7017" in dialog_words(app)
        await pilot.press("ctrl+s")
        await settle(pilot)
        summary = dialog_words(app)
        assert "small: 16 cores, 64 GiB" in summary
        assert "Shows its 3 VMs: 1 of this realm, 2 unmanaged." in summary
        assert "Accepts no new VMs." in summary
        assert "--profile small --state no-scheduling --static-address 203.0.113.9:7000 -- h9" in summary
        assert "h9" not in names_registered(session)
        await pilot.press("ctrl+s")
        await settle(pilot)
        added = registered(session, "h9")
        assert (added.profile, added.state) == ("small", HostState.NO_SCHEDULING)
        assert added.static_address == StaticAddress("203.0.113.9", 7000)
        assert told(app) == ["Pools of its realm are missing: 4: Pools.", "h9: added"]
        await settle(pilot)
        assert grid_of(app).cursor_key == "h9"


async def test_a_uri_follows_the_name_until_another_is_written(tmp_path: Path) -> None:
    """As it is usual."""
    app = RealmsApp(session_of(tmp_path))
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        await pilot.press("a", *"h9")
        await settle(pilot)
        assert app.screen.query_one("#uri", Input).value == "qemu+ssh://root@h9/system"
        await pilot.press("tab", *"qemu:///system", "shift+tab", *"9")
        await settle(pilot)
        assert app.screen.query_one("#uri", Input).value == "qemu:///system"


async def test_the_first_page_says_what_is_wrong_with_each_field(tmp_path: Path) -> None:
    """At once, and is not left; a URI that another host has is only warned of."""
    app = RealmsApp(session_of(tmp_path))
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        await pilot.press("a", *"h1", "ctrl+s")
        await settle(pilot)
        assert "a host named h1 exists already" in dialog_words(app)
        assert "h1 already has this URI: its VMs would be counted twice" in dialog_words(app)
        app.screen.query_one("#uri", Input).value = "qemu+ssh://root@h9/system?command=/bin/sh"
        await settle(pilot)
        assert "runs an arbitrary program" in dialog_words(app)
        assert wizard_of(app).at == 0


async def test_enter_goes_through_the_fields_to_the_button(tmp_path: Path) -> None:
    """And never to Cancel."""
    app = RealmsApp(session_of(tmp_path))
    async with app.run_test(size=MIDDLE) as pilot:
        await settle(pilot)
        await pilot.press("a", *"h9", "enter", "enter")
        await settle(pilot)
        assert app.screen.focused is next_button(app)


async def test_a_host_that_is_not_there_can_be_added_after_a_warning(tmp_path: Path) -> None:
    """Its profile is not compared with anything."""
    session = session_of(tmp_path)
    app = RealmsApp(session)
    uri = f"qemu+ssh://root@127.0.0.1:{refused_port()}/system"
    async with app.run_test(size=MIDDLE) as pilot:
        await connected(pilot, "h9", uri)
        assert "login: nothing listens on 127.0.0.1" in dialog_words(app)
        assert not app.screen.query_one(KeyHelp).display
        assert next_button(app).label.plain == "Skip"
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert isinstance(app.screen, Confirm)
        assert "h9 does not answer" in dialog_words(app)
        await pilot.press("enter")
        await settle(pilot)
        assert "Not compared: the host has not answered." in dialog_words(app)
        assert not app.screen.query_one("#propose-row").display
        await pilot.press("ctrl+s", "ctrl+s")
        await settle(pilot)
        assert "hardware and VMs are unknown" in dialog_words(app)
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert registered(session, "h9").uri == uri


async def test_a_hung_host_is_left_when_one_goes_back(tmp_path: Path) -> None:
    """Its answer is not waited for, and does not come up later."""
    app = RealmsApp(session_of(tmp_path))
    with left_waiting("answers"):
        async with app.run_test(size=MIDDLE) as pilot:
            with silent_host() as silent:
                await name_it(pilot, "h9", silent.uri)
                await until(pilot, lambda: "asking libvirt" in dialog_words(app))
                assert "of at most 20 s" in dialog_words(app)
                page = wizard_of(app).pages[1]
                assert page.is_testing  # type: ignore[attr-defined]
                await pilot.press("escape")
                await settle(pilot)
                assert not page.is_testing  # type: ignore[attr-defined]
                assert wizard_of(app).at == 0
                app.screen.query_one("#uri", Input).value = node(tmp_path)
                await pilot.press("ctrl+s")
                await until(pilot, lambda: wizard_of(app).draft.contact is not None)
                assert "Answers" in dialog_words(app)


async def test_a_hung_host_need_not_be_waited_for(tmp_path: Path) -> None:
    """Whoever knows why it hangs goes on."""
    app = RealmsApp(session_of(tmp_path))
    with left_waiting("answers"):
        async with app.run_test(size=MIDDLE) as pilot:
            with silent_host() as silent:
                await name_it(pilot, "h9", silent.uri)
                await settle(pilot)
                assert next_button(app).label.plain == "Don't wait"
                await pilot.press("ctrl+s")
                await settle(pilot)
                assert "has not answered yet" in dialog_words(app)
                await pilot.press("enter")
                await settle(pilot)
                assert wizard_of(app).at == 2
                assert wizard_of(app).draft.contact is None


async def test_what_was_tested_is_not_tested_again_until_asked(tmp_path: Path) -> None:
    """Going back and forth is quick."""
    app = RealmsApp(session_of(tmp_path))
    async with app.run_test(size=MIDDLE) as pilot:
        await connected(pilot, "h9", node(tmp_path))
        met = wizard_of(app).draft.contact
        await pilot.press("ctrl+s", "escape")
        await settle(pilot)
        assert wizard_of(app).draft.contact is met
        wizard_of(app).query_one("#again", Button).press()
        await until(pilot, lambda: wizard_of(app).draft.contact is not None and wizard_of(app).draft.contact is not met)


async def test_leaving_the_wizard_leaves_everything_as_it_was(tmp_path: Path) -> None:
    """From any page."""
    session = session_of(tmp_path)
    before = names_registered(session)
    app = RealmsApp(session)
    async with app.run_test(size=MIDDLE) as pilot:
        await connected(pilot, "h9", node(tmp_path))
        wizard_of(app).query_one("#cancel", Button).press()
        await settle(pilot)
        assert len(app.screen_stack) == 1
        assert names_registered(session) == before


async def test_the_same_machine_under_another_name_is_told(tmp_path: Path) -> None:
    """By libvirt's UUID of it."""
    uri = node(tmp_path)
    app = RealmsApp(session_of(tmp_path))
    async with app.run_test(size=MIDDLE) as pilot:
        await connected(pilot, "h9", uri)
        survey = wizard_of(app).draft.contact.survey  # type: ignore[union-attr]
        assert survey is not None
        known = replace(world.seen(world.host("h1")), machine_uuid="11111111-2222-3333-4444-555555555555")
        app.session.see(known)  # type: ignore[attr-defined]
        app.tick()
        same = replace(survey, hardware=replace(survey.hardware, machine_uuid=known.machine_uuid))
        wizard_of(app).draft.contact = Contact(uri, (), same)
        wizard_of(app).go_to_page(1)
        await settle(pilot)
        assert "same machine as h1" in dialog_words(app)


# Profiles ------------------------------------------------------------------------------------------------------------


async def test_another_profile_is_compared_at_once_and_kept(tmp_path: Path) -> None:
    """With what differs, and how to mend it; going back doesn't take the choice away."""
    app = RealmsApp(session_of(tmp_path))
    async with app.run_test(size=MIDDLE) as pilot:
        await connected(pilot, "h9", node(tmp_path))
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert "pools: the realm's pools" in dialog_words(app)
        assert "cores" not in dialog_words(app).partition("This profile and realm")[2]
        wizard_of(app).query_one("#profile", Select).value = "cpu-node"
        await settle(pilot)
        assert "profile cpu-node has 128 cores, the host 16" in dialog_words(app)
        assert "memory: 64 GiB in a profile of this kind of host" in dialog_words(app)
        await pilot.press("escape")
        await settle(pilot)
        wizard_of(app).query_one("#again", Button).press()
        await until(pilot, lambda: wizard_of(app).draft.contact is not None)
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert wizard_of(app).query_one("#profile", Select).value == "cpu-node"


async def test_where_no_profile_fits_one_is_proposed_copied_and_saved(tmp_path: Path) -> None:
    """The text is a configuration; what exists is not overwritten, and the configuration is not touched."""
    app = RealmsApp(session_of(tmp_path, fitting=False))
    async with app.run_test(size=MIDDLE) as pilot:
        await connected(pilot, "h9", node(tmp_path))
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert "No profile matches this host: 16 cores, 64 GiB." in dialog_words(app)
        wizard_of(app).query_one("#propose", Button).press()
        await settle(pilot)
        dialog = app.screen
        assert isinstance(dialog, ProposalDialog)
        assert "restart realms: this wizard then offers it" in dialog_words(app)
        await pilot.press("enter")
        assert app.clipboard == dialog.text
        path = tmp_path / "proposed.conf"
        dialog.query_one("#file", Input).value = str(path)
        dialog.query_one("#save", Button).press()
        await settle(pilot)
        (profile,) = load(path).hardware_profiles.values()
        assert (profile.cores, profile.memory_bytes) == (16, 64 * world.GIB)
        dialog.query_one("#save", Button).press()
        await until(pilot, lambda: any("is not overwritten" in message for message in told(app)))
        dialog.query_one("#file", Input).value = "~no-such-user/\0"
        dialog.query_one("#save", Button).press()
        await until(pilot, lambda: not app.session.tasks.running())
        assert path.read_text() == dialog.text
        await pilot.press("escape")
        await settle(pilot)
        assert wizard_of(app).at == 2


async def test_without_any_profile_no_host_is_added(tmp_path: Path) -> None:
    """The page says so; a proposal is on offer."""
    empty = replace(world.CONFIGURATION, hardware_profiles={})
    app = RealmsApp(world.standing(tmp_path, (), configuration=empty))
    async with app.run_test(size=MIDDLE) as pilot:
        await connected(pilot, "h9", node(tmp_path))
        await pilot.press("ctrl+s", "ctrl+s")
        await settle(pilot)
        assert wizard_of(app).at == 2
        assert told(app) == ["No hardware profile configured: cannot add a host without one."]
        assert wizard_of(app).query_one("#propose-row").display


# Registry ------------------------------------------------------------------------------------------------------------


async def test_what_the_registry_refuses_is_told_on_the_last_page(tmp_path: Path) -> None:
    """Someone else took the name meanwhile; going back mends it."""
    session = session_of(tmp_path)
    app = RealmsApp(session)
    async with app.run_test(size=MIDDLE) as pilot:
        await connected(pilot, "h9", node(tmp_path))
        await pilot.press("ctrl+s", "ctrl+s", "ctrl+s")
        await settle(pilot)
        assert session.registry is not None
        taken = Host(name="h9", realm="main", uri="qemu:///system", profile="small")
        session.registry.add(taken, CONFIGURATION)
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert wizard_of(app).at == 4
        assert "a host named 'h9' already exists" in dialog_words(app).partition("Registry entry")[0]
        assert not next_button(app).disabled


async def test_a_clash_of_static_addresses_holds_the_page(tmp_path: Path) -> None:
    """Said at once."""
    app = RealmsApp(session_of(tmp_path))
    async with app.run_test(size=MIDDLE) as pilot:
        await connected(pilot, "h9", node(tmp_path))
        await pilot.press("ctrl+s", "ctrl+s")
        await settle(pilot)
        app.screen.query_one("#static", Input).value = "203.0.113.7:7100"
        await settle(pilot)
        assert "clashes with h2" in dialog_words(app)
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert wizard_of(app).at == 3


# Hostile text --------------------------------------------------------------------------------------------------------


async def test_nothing_that_a_host_says_harms_the_wizard(tmp_path: Path) -> None:
    """Its name, its CPU, errors, marks of other realms; on every page, also narrow."""
    app = RealmsApp(session_of(tmp_path, fitting=False))
    async with app.run_test(size=(80, 24)) as pilot:
        await connected(pilot, "h9", node(tmp_path))
        wizard = wizard_of(app)
        assert wizard.draft.contact is not None
        survey = wizard.draft.contact.survey
        assert survey is not None
        for word in HOSTILE:
            occupation = replace(survey.occupation, by_realm={word: 3})
            said = replace(
                survey,
                host_name=word,
                hardware=replace(survey.hardware, cpu_model=word, cpu_vendor=word),
                occupation=occupation,
            )
            at = Checkup(word)
            for contact in (
                Contact(wizard.draft.host.uri, (at.warning(word, word, word),), said),
                Contact(wizard.draft.host.uri, (at.error(word, word * 9, word),), None),
            ):
                wizard.draft.contact = contact
                for page in (1, 2, 3, 4):
                    wizard.go_to_page(page)
                    await settle(pilot)
                    assert_clean(app)
            app.push_screen(ProposalDialog(said))
            await settle(pilot)
            assert_clean(app)
            app.pop_screen()
            await settle(pilot)
