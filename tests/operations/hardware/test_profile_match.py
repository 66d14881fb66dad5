"""Which profile describes a machine."""

from __future__ import annotations

from core.config.model import Configuration
from core.costs import CostFunction
from core.hardware import Device, HardwareProfile, PciAddress
from core.operations.hardware.profile_match import judge, rank_profiles
from tests.operations.doctor.machines import A100, DISK, hardware, surveyed

TIB = 1 << 40
GPU = Device("a100", PciAddress.parse(A100.address))


def profile(name: str, cores: int = 128, memory_bytes: int = TIB, devices: tuple[Device, ...] = ()) -> HardwareProfile:
    """Describe a machine."""
    return HardwareProfile(
        id=name, name=name, cores=cores, memory_bytes=memory_bytes, devices=devices, cost_function="cpu"
    )


def configured(*profiles: HardwareProfile) -> Configuration:
    """Make a configuration with these profiles."""
    return Configuration({"cpu": CostFunction(id="cpu", name="cpu")}, {each.id: each for each in profiles}, {})


def test_the_profile_that_says_what_is_there_comes_first() -> None:
    """Before those whose sizes are off, and before those whose devices aren't there."""
    profiles = configured(
        profile("absent", devices=(Device("a100", PciAddress.parse("01:00.0")),)),
        profile("half", cores=64, devices=(GPU,)),
        profile("plain"),
        profile("right", devices=(GPU,)),
        profile("double", cores=256, memory_bytes=2 * TIB, devices=(GPU,)),
    )
    ranked = rank_profiles(profiles, surveyed(hardware(A100, DISK)))
    assert [fit.profile.id for fit in ranked] == ["right", "half", "double", "plain", "absent"]
    assert [fit.fits for fit in ranked] == [True, False, False, False, False]
    assert ranked[1].misfits == ("64 cores, not 128",)
    assert ranked[3].misfits == ("1 device of the host is not in it",)
    assert ranked[4].misfits[0] == "1 of its 1 devices is not there"


def test_what_firmware_keeps_of_the_memory_is_no_misfit() -> None:
    """A twentieth is."""
    assert judge(profile("p"), surveyed(hardware(memory_bytes=int(TIB * 0.96)))).fits
    assert judge(profile("p"), surveyed(hardware(memory_bytes=int(TIB * 0.94)))).misfits == ("1 TiB, not 963 GiB",)


def test_devices_are_not_judged_where_libvirt_lists_none() -> None:
    """As with its embedded driver."""
    unknown = hardware()
    fit = judge(profile("p", devices=(GPU,)), surveyed(type(unknown)(cores=128, memory_bytes=TIB, machine_uuid=None)))
    assert (fit.fits, fit.missing) == (True, 0)
