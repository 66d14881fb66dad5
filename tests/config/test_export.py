"""A configuration written as HOCON reads back as the same configuration."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.config.export import format_configuration
from core.config.model import Configuration
from core.config.reader import load, read
from core.costs import CostFunction
from core.curves import Curve, format_curve
from core.hardware import Device, HardwareProfile, PciAddress
from core.realms import CacheMode, DriveSettings, Realm
from tests.curve_strategies import cost_functions, curves

EXAMPLES = Path(__file__).parent.parent / "data" / "examples"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
IDS = TEXTS.filter(lambda text: text.strip() and text not in ("cost-functions", "hardware-profiles", "realms"))
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/"), min_size=1, max_size=8).filter(
    lambda text: text == text.strip()
)
SIZES = st.integers(1, 2**63 - 1)
SECONDS = st.integers(1, 10**10).map(lambda milliseconds: milliseconds / 1000)
DEVICES = st.lists(
    st.builds(
        Device,
        TEXTS.filter(bool),
        st.builds(
            PciAddress, st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFF), st.integers(0, 0x1F), st.integers(0, 7)
        ),
    ),
    unique_by=lambda device: device.address,
    max_size=3,
).map(tuple)
PROFILES = st.builds(
    HardwareProfile, id=st.just(""), name=TEXTS, description=TEXTS, cores=st.integers(1, 2**31 - 1), memory_bytes=SIZES,
    cost_function=st.just("f"), devices=DEVICES,
)  # fmt: skip
BOUNDS = st.tuples(st.none() | SIZES, st.none() | SIZES).map(
    lambda pair: pair if None in pair else (min(pair), max(pair))  # type: ignore[type-var]
)
REALMS = st.builds(
    Realm, id=st.just(""), name=NAMES, disabled=st.booleans(), volumes_pool=NAMES, drives_pool=NAMES, bricks_pool=NAMES,
    snapshots_pool=NAMES, log_scheduling=st.booleans(), registration_timeout=SECONDS, poll_frequency=SECONDS,
    network_filter=st.none() | NAMES, network=NAMES, registration_port=st.integers(1, 65535),
    drives=st.builds(
        lambda lazy, cache, bounds: DriveSettings(lazy, cache, *bounds),
        st.booleans(), st.sampled_from(CacheMode), BOUNDS,
    ),
)  # fmt: skip


def read_text(text: str) -> Configuration:
    """Read a configuration from a text."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ticrypt-vm.conf"
        path.write_text(text, encoding="utf-8", newline="")
        return load(path, {})


@given(curves())
def test_a_curve_written_reads_back(curve: Curve) -> None:
    """parse(format(x)) == x, to the last bit of every number."""
    text = f"ticrypt.vm.cost-functions.f {{ vms: {format_curve(curve)} }}"
    assert read_text(text).cost_functions["f"].vms == curve


@given(IDS, TEXTS, TEXTS, cost_functions())
def test_a_cost_function_written_reads_back(identity: str, name: str, description: str, function: CostFunction) -> None:
    """Whatever its id, name and description are."""
    written = replace(function, id=identity, name=name, description=description)
    configuration = Configuration({identity: written})
    assert read_text(format_configuration(configuration)) == configuration


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(IDS, PROFILES, max_size=2), st.dictionaries(IDS, REALMS, max_size=2))
def test_profiles_and_realms_written_read_back(profiles: dict[str, HardwareProfile], realms: dict[str, Realm]) -> None:
    """Sizes to the byte, durations to the millisecond, names with any character."""
    configuration = Configuration(
        {"f": CostFunction(id="f", name="f")},
        {identity: replace(profile, id=identity) for identity, profile in profiles.items()},
        {identity: replace(realm, id=identity) for identity, realm in realms.items()},
    )
    assert read_text(format_configuration(configuration)) == configuration


def test_every_valid_example_written_reads_back() -> None:
    """Includes and substitutions are gone, the meaning stays."""
    for path in (*EXAMPLES.glob("valid/*/ticrypt-vm.conf"), *EXAMPLES.glob("hard/*/ticrypt-vm.conf")):
        configuration = read(path, {}).configuration
        assert configuration is not None
        assert read_text(format_configuration(configuration)) == configuration
