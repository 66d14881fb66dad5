"""Single settings laid over a configuration: what `--set` takes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.config.export import format_configuration
from core.config.reader import load
from core.config.settings import Setting, apply_settings
from core.curves import format_curve
from core.errors import UsageError
from core.hardware import Device, PciAddress
from tests.cli.saved_fleet import PLACES
from tests.strategies import configurations, curves

if TYPE_CHECKING:
    from pathlib import Path

    from core.config.model import Configuration
    from core.curves import Curve

GIB = 2**30


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    """Two cost functions, two profiles, two realms."""
    (tmp_path / "ticrypt-vm.conf").write_text(PLACES)
    return load(tmp_path / "ticrypt-vm.conf")


def changed(configuration: Configuration, *written: str) -> Configuration:
    """Apply settings as they are typed."""
    return apply_settings(configuration, [Setting.parse(each) for each in written])[0]


def test_a_parameter_of_a_curve_is_set_and_nothing_else_changes(configuration: Configuration) -> None:
    """The configuration itself stays as it is."""
    new = changed(configuration, "cost-functions.cpu.memory.soft=820 GiB")
    cpu = configuration.cost_functions["cpu"]
    assert new.cost_functions["cpu"] == replace(cpu, memory=replace(cpu.memory, soft=820.0 * GIB))
    assert new.cost_functions["gpu"] == configuration.cost_functions["gpu"]
    assert (new.hardware_profiles, new.realms) == (configuration.hardware_profiles, configuration.realms)
    assert cpu.memory.soft == 800 * GIB


def test_a_curve_given_as_a_block_replaces_the_one_that_is_there(configuration: Configuration) -> None:
    """Nothing of the old one is left, nor where it stands inside another block; the rest of that is merged."""
    new = changed(configuration, "cost-functions.cpu.memory={ curve: linear, slope: 1, base: 0 }")
    assert format_curve(new.cost_functions["cpu"].memory) == "{ curve: linear, slope: 1.0, base: 0.0 }"
    both = changed(configuration, "cost-functions.gpu={ memory: { curve: constant, value: 7 }, offset: 5 }")
    gpu = both.cost_functions["gpu"]
    assert (format_curve(gpu.memory), gpu.offset) == ("{ curve: constant, value: 7.0 }", 5.0)
    assert (gpu.vms, gpu.scale) == (configuration.cost_functions["gpu"].vms, 2.0)


def test_profiles_and_realms_can_be_set_too(configuration: Configuration) -> None:
    """Sizes, durations, ids, lists; a list can be added to, a definition taken away or added."""
    new = changed(
        configuration,
        "hardware-profiles.cpu-node.memory=512 GiB",
        "hardware-profiles.cpu-node.cost-function=gpu",
        'ticrypt.vm.hardware-profiles.gpu-node.devices += { type: a100, addr: "c2:00.0" }',
        "realms.main.poll-frequency=1 minute",
        "realms.old=null",
        "cost-functions.new={ vms: { curve: linear, slope: 1, base: 0 } }",
        "cost-functions.new.scale=3",
    )
    assert new.hardware_profiles["cpu-node"].memory_bytes == 512 * GIB
    assert new.hardware_profiles["cpu-node"].cost_function == "gpu"
    before = configuration.hardware_profiles["gpu-node"].devices
    assert new.hardware_profiles["gpu-node"].devices == (*before, Device("a100", PciAddress.parse("c2:00.0")))
    assert new.realms["main"].poll_frequency == 60.0
    assert "old" not in new.realms
    assert new.cost_functions["new"].scale == 3.0


def test_a_later_setting_wins(configuration: Configuration) -> None:
    """As a later line of a file does."""
    new = changed(configuration, "cost-functions.cpu.scale=2", "cost-functions.cpu.scale=3")
    assert new.cost_functions["cpu"].scale == 3.0


def test_only_warnings_that_come_with_a_setting_are_told(configuration: Configuration) -> None:
    """Those that the configuration has anyway are not."""
    bad, warnings = apply_settings(configuration, [Setting.parse("cost-functions.cpu.scale=-1")])
    assert [warning.message for warning in warnings] == ["'scale' is -1: higher usage lowers the cost"]
    assert apply_settings(bad, [Setting.parse("cost-functions.gpu.scale=3")])[1] == ()


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        ("cost-functions.cpu.memory.soft=820 Gib", "'soft' is not a size: unknown unit 'Gib'", "did you mean GiB?"),
        ("cost-functions.cpu.memory.soft=900 GiB", "'hard' (850 GiB) is below 'soft' (900 GiB)", "hard must be"),
        ("cost-functions.cpu.memory.sotf=1", "unknown parameter 'sotf' of a curve 'hard-soft'", "did you mean soft?"),
        ("cost-functions.cpu.memory.curve=linear", "'slope' is missing", "set all of it: ...={ curve: linear"),
        ("cost-functions.cpu.scale=NaN", "not allowed as a number", "omit it for no limit"),
        ("cost-functions.cpu=3", "a block of curves", "write cpu"),
        ("cost-functions.cpuu.memory.soft=3", "unknown cost function 'cpuu'", "did you mean cpu?"),
        ("hardware-profiles.x.cores=3", "unknown hardware profile 'x'", "known: cpu-node, gpu-node"),
        ("hardware-profiles.cpu-node.cores=7.5", "not a whole number", "write 7 or 8"),
        ("hardware-profiles.gpu-node.cost-function=cpx", "unknown cost function 'cpx'", "defined: cpu, gpu"),
        ("hardware-profiles.new={ cores: 1 }", "'memory' is missing from 'new'", "and 1 more mistake"),
        ("costfunctions.cpu.scale=3", "unknown section 'costfunctions'", "did you mean cost-functions?"),
        ("mongodb.uri=x", "unknown section 'mongodb'", "starts with cost-functions, hardware-profiles, realms"),
        ("realms.main.poll-frequency=0", "more than 0", "such as 30 seconds"),
        ("realms.main.drives.cache=nnone", "unknown cache mode 'nnone'", "did you mean none?"),
        ("realms.main.name=a:b", "a ':' in the unquoted value", "quote it"),
        ('realms.main={ include "/etc/passwd" }', "a setting needs a literal value", "include"),
        ("cost-functions.cpu.scale=${HOME}", "a setting needs a literal value", "${...} are not allowed"),
        ("cost-functions.cpu.scale=1, cost-functions.cpu.offset=2", "one setting at a time", "write PATH=VALUE"),
        ("cost-functions.cpu.scale=1\ncost-functions.cpu.offset=2", "one setting at a time", "write PATH=VALUE"),
        ("cost-functions.cpu.scale", "has no value", "write cost-functions.cpu.scale: value"),
        ("=3", "where a key should stand", "a key, then"),
        ("ticrypt.vm=3", "nothing to set", "write PATH=VALUE"),
        ("", "'' is not a setting", "write PATH=VALUE"),
        pytest.param("x={" * 500, "more than 400 nested blocks", "", id="too deep for a reader"),
        pytest.param("x={" * 60 + "}" * 60, "nested too deeply", "at most 50", id="too deep"),
        ("cost-functions.cpu.scale=\x1b[2J", "", ""),
    ],
)
def test_a_mistake_is_told_with_its_path_and_what_would_be_right(
    configuration: Configuration, written: str, message: str, hint: str
) -> None:
    """One error, of wrong usage."""
    with pytest.raises(UsageError) as error:
        changed(configuration, written)
    assert message in error.value.message
    assert hint in error.value.hint


def test_mistakes_of_one_setting_are_not_blamed_on_another(configuration: Configuration) -> None:
    """The message begins with the setting that is wrong."""
    with pytest.raises(UsageError, match=r"^cost-functions\.gpu\.offset = x:"):
        changed(configuration, "cost-functions.cpu.scale=3", "cost-functions.gpu.offset=x")


SOME = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
"""Each example reads whole configurations."""


@SOME
@given(configurations(), curves(float(GIB)), st.data())
def test_what_is_written_at_the_end_of_the_file_does_the_same(
    tmp_path: Path, configuration: Configuration, curve: Curve, data: st.DataObject
) -> None:
    """For any curve that takes the place of any other, and equal to changing the model."""
    name = data.draw(st.sampled_from(sorted(configuration.cost_functions)))
    attribute = data.draw(st.sampled_from(("vms", "vcpus", "memory", "devices.gpu")))
    setting = Setting.parse(f"cost-functions.{name}.{attribute}={format_curve(curve)}")
    new, _ = apply_settings(configuration, [setting])
    function = configuration.cost_functions[name]
    if attribute == "devices.gpu":
        expected = replace(function, devices={**function.devices, "gpu": curve})
    else:
        expected = replace(function, **{attribute: curve})
    assert new.cost_functions[name] == expected
    path = tmp_path / "appended.conf"
    path.write_text(format_configuration(configuration) + setting.hocon)
    assert load(path) == new


@SOME
@given(configurations())
def test_nothing_set_is_nothing_changed(configuration: Configuration) -> None:
    """Nor where a value is set to what it is."""
    assert apply_settings(configuration, [])[0] == configuration
    name, function = next(iter(configuration.cost_functions.items()))
    assert changed(configuration, f"cost-functions.{name}.scale={function.scale!r}") == configuration


@SOME
@given(configurations(), st.floats(-4, 4))
def test_reading_only_what_a_parameter_concerns_leaves_the_rest_as_it_is(
    configuration: Configuration, offset: float
) -> None:
    """Everything else is the very same object, in the same order: of many functions one is read."""
    name = next(iter(configuration.cost_functions))
    new = changed(configuration, f"cost-functions.{name}.offset={offset!r}")
    assert list(new.cost_functions) == list(configuration.cost_functions)
    assert new.cost_functions[name] == replace(configuration.cost_functions[name], offset=offset)
    others = [other for other in configuration.cost_functions if other != name]
    assert all(new.cost_functions[other] is configuration.cost_functions[other] for other in others)
    assert new.realms == configuration.realms
    assert list(new.hardware_profiles.items()) == list(configuration.hardware_profiles.items())
