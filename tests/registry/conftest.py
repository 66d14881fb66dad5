"""A registry in a folder of its own, at a standing moment, and a configuration with two realms and two profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.clock import FixedClock
from core.config.model import Configuration
from core.hardware import HardwareProfile
from core.hosts import Host
from core.realms import Realm
from core.registry.hosts import HostRegistry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def configuration() -> Configuration:
    """Make a configuration with the realms main and lab (disabled), and the profiles plain and gpu."""
    profiles = [
        HardwareProfile(id=name, name=name, cores=8, memory_bytes=2**35, cost_function="f") for name in ("plain", "gpu")
    ]
    realms = [Realm(id="main", name="Main"), Realm(id="lab", name="Lab", disabled=True)]
    return Configuration(
        hardware_profiles={profile.id: profile for profile in profiles}, realms={realm.id: realm for realm in realms}
    )


@pytest.fixture
def clock() -> FixedClock:
    """Make a clock that the test moves."""
    return FixedClock()


@pytest.fixture
def registry(tmp_path: Path, clock: FixedClock) -> HostRegistry:
    """Make a registry that nobody has written to."""
    return HostRegistry(tmp_path / "registry.json", clock)


@pytest.fixture
def host() -> Callable[..., Host]:
    """Return a function that describes a host by its name and what matters about it."""

    def make(name: str, **fields: object) -> Host:
        described = {"realm": "main", "profile": "plain", "uri": f"qemu+ssh://root@{name}.example/system"} | fields
        return Host(name=name, **described)

    return make
