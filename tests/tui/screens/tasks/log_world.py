"""A scheduling log of the world that stands still: decisions of several kinds, made by the configuration of then."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.config.model import Configuration
from core.fleet.fleet import Fleet
from core.operations.scheduling import log_writer as scheduling_log
from core.placement.engine.engine import place
from core.placement.engine.request import Request
from tests.tui import world

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.tui.world import StandingSession

GIB = world.GIB
SMALL = Request(4, 8 * GIB, realm="main")
LOGGING = Configuration(
    world.CONFIGURATION.cost_functions,
    world.CONFIGURATION.hardware_profiles,
    {"main": replace(world.CONFIGURATION.realms["main"], log_scheduling=True)},
)
DEARER = Configuration(
    {**LOGGING.cost_functions, "cpu": replace(LOGGING.cost_functions["cpu"], offset=200_000.0)},
    LOGGING.hardware_profiles,
    LOGGING.realms,
)
"""By which the hosts with devices would be the best."""


def log(
    folder: Path,
    *requests: tuple[str, Request],
    configuration: Configuration = LOGGING,
    later: float = 0.0,
    **more: object,
) -> None:
    """Log a decision for each request; `later` seconds after the world stood still."""
    for number, (name, request) in enumerate(requests):
        ahead = later + number
        moment = Fleet(world.NOW + ahead, tuple(
            snapshot if snapshot.observed_at is None else replace(snapshot, observed_at=snapshot.observed_at + ahead)
            for snapshot in world.snapshots()
        ))  # fmt: skip
        placements = place(configuration, moment, request)
        arguments: dict[str, object] = {"operation": "create", "vm": name, "uuid": f"uuid-{name}", **more}
        scheduling_log.append_decision(
            folder / "registry.json",
            scheduling_log.SchedulingDecision(configuration, moment, placements, **arguments),  # type: ignore[arg-type]
        )


def usual(folder: Path, monkeypatch: pytest.MonkeyPatch, configuration: Configuration = LOGGING) -> StandingSession:
    """Make a session with a log: VMs that found a host, one that found none, one with devices, an order."""
    monkeypatch.setattr(scheduling_log, "current_user", lambda: "admin")
    session = world.standing(folder, configuration=configuration)
    log(folder, ("web-1", SMALL), ("web-2", Request(8, 64 * GIB, realm="main")))
    log(folder, ("ml-9", Request(16, 128 * GIB, {"a100": 1}, "main")), later=100)
    log(folder, ("huge", Request(64, 800 * GIB, realm="main")), later=200)
    log(folder, ("web-3", SMALL), later=300, operation="migrate")
    return session
