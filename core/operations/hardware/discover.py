"""Proposes a hardware profile, and where none fits a cost function, from what a real host has (`hosts discover`)."""

import re
from dataclasses import dataclass

from core.config.model import Configuration
from core.costs import CostFunction
from core.curves import HardSoft, Linear
from core.driver.hosts.survey import HostSurvey
from core.hardware import HardwareProfile
from core.operations.hardware.pci_candidates import Candidate, candidates
from core.text import one_line
from core.units import show_size

RESERVE = 0.05
"""Part of the memory that a proposed cost function leaves to the host, and at least LEAST_RESERVE bytes."""

LEAST_RESERVE = 2 * 1024**3

SOFT_MEMORY = 0.9
"""Part of what VMs may have from where on memory becomes dear."""

VCPUS_PER_CORE = 2

AWAY_FROM_DEVICES = 100_000.0
"""Offset of hosts with devices: VMs that ask for none go there last."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A profile for hosts like the one that was asked, with a cost function for it where none was found to fit."""

    survey: HostSurvey
    profile: HardwareProfile
    function: CostFunction | None
    """None: the profile's cost function is in the configuration, and fits."""
    candidates: tuple[Candidate, ...]
    """All devices that were looked at, also those that are not proposed."""
    remarks: tuple[str, ...]


def identifier(host_name: str) -> str:
    """Make an id of a host's name: its first part, without the number of this one host."""
    short = re.sub(r"[^a-z0-9-]+", "-", host_name.partition(".")[0].lower()).strip("-")
    return re.sub(r"-?\d+$", "", short) or "host"


def propose(
    survey: HostSurvey, configuration: Configuration, *, profile_id: str | None = None, function_id: str | None = None
) -> Proposal:
    """Describe a host as a profile. `function_id` names the cost function wanted; it is taken where it fits."""
    hardware = survey.hardware
    found = candidates(hardware, survey.occupation.devices)
    devices = tuple(candidate.as_device for candidate in found if candidate.proposed)
    identity = profile_id or identifier(survey.host_name)
    remarks = []
    if identity in configuration.hardware_profiles:
        remarks.append(f"profile {identity} already exists: choose another id with --id")
    if devices and hardware.iommu is False:
        remarks.append("the host's IOMMU is off: enable it before assigning devices to VMs")
    types = tuple(dict.fromkeys(device.type for device in devices))
    named = configuration.cost_functions.get(function_id) if function_id is not None else None
    lacking = [kind for kind in types if named is not None and kind not in named.devices]
    function = None
    if named is None or lacking:
        wanted = function_id if function_id is not None and named is None else identity
        function = _cost_function(_free(wanted, configuration), hardware.cores, hardware.memory_bytes, types)
    if named is not None and lacking:
        remarks.append(f"cost function {function_id} has no curve for {', '.join(lacking)}: proposing another")
    if function_id is not None and named is None:
        remarks.append(f"the configuration has no cost function {function_id}: proposing one")
    profile = HardwareProfile(
        id=identity,
        name=identity,
        description=f"As {one_line(survey.host_name)} is",
        cores=hardware.cores,
        memory_bytes=hardware.memory_bytes,
        devices=devices,
        cost_function=function.id if function is not None else (function_id or identity),
    )
    return Proposal(survey, profile, function, found, tuple(remarks))


def _free(identity: str, configuration: Configuration) -> str:
    """Return an id that no cost function has yet: a second one would change the first."""
    taken, number = configuration.cost_functions, 2
    free = identity
    while free in taken:
        free, number = f"{identity}-{number}", number + 1
    return free


def _cost_function(identity: str, cores: int, memory_bytes: int, types: tuple[str, ...]) -> CostFunction:
    """Make curves of a host's size: up to two vCPUs a core, memory up to what the host can spare."""
    spared = memory_bytes - max(int(memory_bytes * RESERVE), LEAST_RESERVE)
    hard = _rounded(max(memory_bytes // 2, spared))
    soft = _rounded(int(hard * SOFT_MEMORY))
    return CostFunction(
        id=identity,
        name=identity,
        description=f"Proposed for {cores} cores and {show_size(memory_bytes)}",
        vms=Linear(slope=1.0, base=0.0),
        vcpus=HardSoft(soft=cores, hard=cores * VCPUS_PER_CORE, soft_amt=cores / 2, hard_amt=cores * 5.0),
        memory=HardSoft(soft=soft, hard=hard, soft_amt=cores / 2, hard_amt=cores * 5.0),
        devices={kind: Linear(slope=25.0, base=0.0) for kind in types},
        offset=AWAY_FROM_DEVICES if types else 0.0,
    )


def _rounded(size: int) -> int:
    """Cut to whole GiB, below 8 GiB to whole MiB, and never to nothing."""
    unit = 1024**3 if size >= 8 * 1024**3 else 1024**2
    return max(size // unit, 1) * unit
