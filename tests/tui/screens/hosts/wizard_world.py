"""A session for the wizard that adds hosts: one profile describes the nodes of the test driver."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.codes import Check
from core.hardware import HardwareProfile
from core.hosts import Host
from core.operations.doctor.contact import Contact
from core.operations.findings import Checkup
from tests.operations.doctor.machines import A100, DISK, IDLE, hardware, surveyed
from tests.tui import world
from tests.tui.driving import settle
from tui.screens.hosts.wizard.wizard import HostWizard

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from tests.tui.world import StandingSession

SMALL_PROFILE = HardwareProfile(id="small", name="small", cores=16, memory_bytes=64 * world.GIB, cost_function="cpu")


CONFIGURATION = replace(
    world.CONFIGURATION, hardware_profiles={**world.CONFIGURATION.hardware_profiles, "small": SMALL_PROFILE}
)


def session_of(folder: Path, *, fitting: bool = True) -> StandingSession:
    """Make the usual world; `fitting`: with a profile that describes the test driver's nodes."""
    return world.standing(folder, configuration=CONFIGURATION if fitting else world.CONFIGURATION)


URI = "qemu+ssh://root@gpu-node12/system"
AT = Checkup("gpu-node12")
WELL = (
    AT.ok(Check.HOST_KEY, "known in /root/.ssh/known_hosts"),
    AT.ok(Check.LOGIN, "ssh root@gpu-node12 works without a prompt"),
    AT.ok(Check.CLOCK, "within 5 s of this machine's"),
)
MACHINE = surveyed(
    hardware(A100, DISK, cores=128, memory_bytes=900 * world.GIB, cpu_vendor="AMD", cpu_model="EPYC-Milan"),
    occupation=replace(IDLE, vms=3, vcpus=24, memory_bytes=96 * world.GIB, off=1, by_realm={"main": 2, "": 2}),
    pools=(),
)
ANSWERED = Contact(URI, WELL, MACHINE)


async def at_page(pilot: Pilot[int], number: int, contact: Contact | None = ANSWERED) -> HostWizard:
    """Open the wizard at a page, as if those before had been gone through."""
    await settle(pilot)
    await pilot.press("a", *"gpu-node12")
    wizard = pilot.app.screen
    assert isinstance(wizard, HostWizard)
    wizard.draft.host = Host(name="gpu-node12", realm="main", uri=URI, profile="cpu-node")
    wizard.draft.contact = contact
    for page in range(1, number + 1):
        wizard.go_to_page(page)
        await settle(pilot)
    return wizard
