"""Writes a proposed profile in HOCON, with comments that say where each thing comes from."""

import re
from collections.abc import Iterator

from core.costs import CostFunction
from core.curves import Curve, HardSoft
from core.operations.hardware.discover import Proposal
from core.operations.hardware.pci_candidates import Candidate
from core.text import json_text, one_line
from core.units import format_size

_BARE = re.compile(r"[A-Za-z][A-Za-z0-9-]*")


def write_hocon(proposal: Proposal) -> str:
    """Write a block that can be pasted at the end of the main file, or checked as a file of its own."""
    return "\n".join(_lines(proposal)) + "\n"


def _lines(proposal: Proposal) -> Iterator[str]:
    survey, profile = proposal.survey, proposal.profile
    yield f"# What {_comment(survey.host_name)} has, as a proposal: paste it at the end of the main file, and change it"
    for remark in proposal.remarks:
        yield f"# Note: {_comment(remark)}"
    yield "ticrypt.vm {"
    if proposal.function is not None:
        yield from _function(proposal.function)
    yield f"  hardware-profiles.{_quoted(profile.id)} {{"
    yield f"    description: {_quoted(profile.description)}"
    yield f"    cores: {profile.cores}"
    yield f"    memory: {format_size(profile.memory_bytes)}"
    if proposal.candidates:
        yield "    devices: ["
        for candidate in proposal.candidates:
            yield from _device(candidate)
        yield "    ]"
    yield f"    cost-function: {_quoted(profile.cost_function)}"
    yield "  }"
    yield "}"


def _function(function: CostFunction) -> Iterator[str]:
    yield "  # A starting point: 1 per VM, vCPUs expensive beyond one per core, memory up to what the host can spare"
    yield f"  cost-functions.{_quoted(function.id)} {{"
    yield f"    description: {_quoted(function.description)}"
    yield "    vms { curve: linear, slope: 1, base: 0 }"
    yield f"    vcpus {{ {_hard_soft(function.vcpus, sizes=False)} }}"
    yield f"    memory {{ {_hard_soft(function.memory, sizes=True)} }}"
    for kind in function.devices:
        yield f"    devices.{_quoted(kind)} {{ curve: linear, slope: 25, base: 0 }}"
    if function.offset:
        yield "    # VMs that ask for no device go to hosts without any first"
        yield f"    offset: {_number(function.offset)}"
    yield "  }"
    yield ""


def _hard_soft(curve: Curve | None, *, sizes: bool) -> str:
    assert isinstance(curve, HardSoft)  # noqa: S101 - as every proposed function has them
    soft, hard = (format_size(int(end)) if sizes else _number(end) for end in (curve.soft, curve.hard))
    amounts = f"softAmt: {_number(curve.soft_amt)}, hardAmt: {_number(curve.hard_amt)}"
    return f"curve: hard-soft, soft: {soft}, hard: {hard}, {amounts}"


def _device(candidate: Candidate) -> Iterator[str]:
    device = candidate.device
    group = f", IOMMU group {device.iommu_group}" if device.iommu_group is not None else ""
    driver = f", driven by {device.driver}" if device.driver else ""
    yield f"      # {_comment(device.name)}{group}{_comment(driver)}"
    for warning in candidate.warnings:
        yield f"      #   {_comment(warning)}"
    entry = f"{{ type: {_quoted(candidate.type)}, addr: {_quoted(str(device.address))} }}"
    if candidate.proposed:
        yield f"      {entry}"
    else:
        yield f"      #   left out: {_comment(candidate.why)}"
        yield f"      # {entry}"


def _number(value: float) -> str:
    return f"{value:g}" if value != int(value) else str(int(value))


def _quoted(text: str) -> str:
    """Quote a text as HOCON does, which is JSON's way; plain ids stay bare."""
    return text if _BARE.fullmatch(text) else json_text(text)


def _comment(text: str) -> str:
    return one_line(text, 200)
