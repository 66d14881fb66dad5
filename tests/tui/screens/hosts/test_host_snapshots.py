"""The wizard that adds a host, and the doctor's findings, as pictures: empty, normal, degraded, narrow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from textual.widgets import Input, Select

from core.codes import Check
from core.operations.doctor.contact import Contact
from core.operations.doctor.doctor import HostDiagnosis, HostTarget
from core.operations.findings import Checkup, Diagnosis
from core.operations.ssh.keys import ServiceKey
from core.operations.tasks.step_kinds import StepKind
from tests.tui import world
from tests.tui.driving import left_waiting, settle
from tests.tui.screens.hosts.wizard_world import AT, MACHINE, URI, WELL, at_page
from tests.tui.sizes import SIZES, SMALL
from tui.app.app import RealmsApp
from tui.screens.hosts.wizard.connection import ConnectionPage
from tui.screens.hosts.wizard.profile_proposal import ProposalDialog
from tui.screens.hosts.wizard.ssh_key import KeyFile, KeyHelp

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

    from core.operations.tasks.task import Control

KEY = ServiceKey(
    Path("/root/.ssh/id_rsa"), "ssh-rsa", "AAAAB3NzaC1yc2E" + "Ab1+" * 80,
    "libvirt-realms root@admin", "RSA", 2048, "SHA256:uNiVztksCsDhcc0u9e8BrrkcHoGQ3XdBXKi3ZTDJIs4",
)  # fmt: skip


@SIZES
def test_a_name_that_is_taken(picture: Callable[..., bool], tmp_path: Path, size: tuple[int, int]) -> None:
    """The first page, with what is wrong below its fields."""

    async def before(pilot: Pilot[int]) -> None:
        await pilot.press("a", *"h1")
        await settle(pilot)
        await pilot.press("ctrl+s")
        await settle(pilot)

    assert picture(RealmsApp(world.standing(tmp_path)), size, prepare=before)


def test_the_way_to_a_host_is_tried(picture: Callable[..., bool], tmp_path: Path) -> None:
    """What is being tried, and for how long."""

    async def before(pilot: Pilot[int]) -> None:
        wizard = await at_page(pilot, 1)
        page = wizard.query_one(ConnectionPage)
        wizard.draft.contact = None

        def wait(control: Control) -> None:
            with control.step(StepKind.LOOK, "go the way to the host") as step:
                step.detail("asking libvirt")
                control.wait(60)

        page._began = wizard.realms.session.clock.monotonic()
        page.background.ask("way", wait, page._take, page._fail, page._follow)  # type: ignore[arg-type] - never answers

    with left_waiting("answers"):
        assert picture(RealmsApp(world.standing(tmp_path)), SMALL, prepare=before)


@SIZES
def test_a_host_that_answers(picture: Callable[..., bool], tmp_path: Path, size: tuple[int, int]) -> None:
    """What it is."""

    async def before(pilot: Pilot[int]) -> None:
        await at_page(pilot, 1)
        await settle(pilot)

    assert picture(RealmsApp(world.standing(tmp_path)), size, prepare=before)


@SIZES
def test_a_host_that_turns_us_away(picture: Callable[..., bool], tmp_path: Path, size: tuple[int, int]) -> None:
    """With our key, its line and the way to install it."""

    async def before(pilot: Pilot[int]) -> None:
        refused = (
            WELL[0],
            AT.error(Check.LOGIN, "the host accepts none of the keys offered", "realms keys install gpu-node12"),
        )
        wizard = await at_page(pilot, 1, Contact(URI, refused, None))
        help_with_key = wizard.query_one(KeyHelp)
        help_with_key.background.close()  # its own look at this machine's key says nothing any more
        help_with_key._show_key(KeyFile(KEY.private, KEY, exists=True))
        await settle(pilot)

    assert picture(RealmsApp(world.standing(tmp_path)), size, prepare=before)


@SIZES
def test_profiles_held_against_a_host(picture: Callable[..., bool], tmp_path: Path, size: tuple[int, int]) -> None:
    """None is as it is."""
    assert picture(RealmsApp(world.standing(tmp_path)), size, prepare=lambda pilot: at_page(pilot, 2))


@SIZES
def test_a_proposed_profile(picture: Callable[..., bool], tmp_path: Path, size: tuple[int, int]) -> None:
    """As text, with where it goes."""

    async def before(pilot: Pilot[int]) -> None:
        await at_page(pilot, 2)
        pilot.app.push_screen(ProposalDialog(MACHINE))

    assert picture(RealmsApp(world.standing(tmp_path)), size, prepare=before)


def test_state_and_translation(picture: Callable[..., bool], tmp_path: Path) -> None:
    """Each with what it means."""

    async def before(pilot: Pilot[int]) -> None:
        wizard = await at_page(pilot, 3)
        wizard.query_one("#state", Select).value = "no-scheduling"
        wizard.query_one("#static", Input).value = "203.0.113.9:7000"

    assert picture(RealmsApp(world.standing(tmp_path)), SMALL, prepare=before)


def checked(app: RealmsApp) -> None:
    """Put findings beside two hosts and this machine."""
    assert app.fleet is not None
    findings = {
        "h1": (
            Checkup("h1").error(
                Check.POOLS, "pool ticrypt-vm-drives is inactive", "virsh pool-start ticrypt-vm-drives"
            ),
            Checkup("h1").warning(Check.CLOCK, "the clock is 42 s behind this machine's", "timedatectl set-ntp true"),
            Checkup("h1").warning(
                Check.URI, "tcp is neither encrypted nor authenticated: use ssh or tls outside of a lab"
            ),
            Checkup("h1").info(Check.OVERCOMMIT, "its active VMs have 150 vCPUs for 128 cores"),
        ),
        "h4": (Checkup("h4").ok(Check.LOGIN, "works"),),
        "h5": (
            Checkup("h5").error(Check.LIBVIRT, "no answer in 20 s", "is libvirtd hung? systemctl restart libvirtd"),
        ),
    }
    for snapshot in app.fleet.hosts:
        if snapshot.name in findings:
            app.checkups.take(HostDiagnosis(HostTarget(snapshot.host, None, None), findings[snapshot.name], None))
    every = tuple(finding for each in findings.values() for finding in each)
    own = Checkup("").warning(Check.SSH_KEY, "/root/.ssh/id_rsa: RSA 1024 is too weak", "realms keys make")
    app.checkups.settle(Diagnosis((*every, own), 3, 2), list(findings))
    app.checkups.begin(["h7"])
    app._seen = ()
    app.tick()


@SIZES
@pytest.mark.parametrize("place", ["hosts", "host", "findings"])
def test_findings(picture: Callable[..., bool], tmp_path: Path, size: tuple[int, int], place: str) -> None:
    """In the table, in a host's own place, and all of them."""
    keys = {"hosts": [], "host": ["enter"], "findings": ["f", "j"]}[place]

    async def before(pilot: Pilot[int]) -> None:
        await settle(pilot)
        app = pilot.app
        assert isinstance(app, RealmsApp)
        checked(app)
        await pilot.press(*keys)

    assert picture(RealmsApp(world.standing(tmp_path)), size, prepare=before)


def test_nothing_was_examined_yet(picture: Callable[..., bool], tmp_path: Path) -> None:
    """A sentence says what to do."""

    async def before(pilot: Pilot[int]) -> None:
        await settle(pilot)
        await pilot.press("f")

    assert picture(RealmsApp(world.standing(tmp_path)), SMALL, prepare=before)
