"""A workplace for the wizard that adds hosts: one profile describes the nodes of the test driver."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.hardware import HardwareProfile
from tests.tui import world

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tui.world import StandingWorkplace

SMALL_PROFILE = HardwareProfile(id="small", name="small", cores=16, memory_bytes=64 * world.GIB, cost_function="cpu")


CONFIGURATION = replace(
    world.CONFIGURATION, hardware_profiles={**world.CONFIGURATION.hardware_profiles, "small": SMALL_PROFILE}
)


def workplace_of(folder: Path, *, fitting: bool = True) -> StandingWorkplace:
    """Make the usual world; `fitting`: with a profile that describes the test driver's nodes."""
    return world.standing(folder, configuration=CONFIGURATION if fitting else world.CONFIGURATION)
