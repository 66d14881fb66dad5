"""What was met on the way to a host, and what it is when it answers."""

from collections.abc import Iterator

from core.driver.hosts.survey import HostSurvey
from core.fleet.fleet import Fleet
from core.operations.doctor.contact import Contact
from core.operations.doctor.host import show_version
from core.operations.hardware.pci_candidates import candidates
from core.text import plural
from core.units import show_size
from tui.render.cells import Piece, Tone
from tui.render.hosts.findings import finding_lines, hanging, worst_first

Line = tuple[Piece, ...]

LABEL = 12
"""Columns of the words before facts."""

MOST_DEVICES = 6
"""Devices that are named; the rest are counted."""


def waiting_lines(uri: str, stage: str, waited: float, most: float, width: int) -> list[Line]:
    """Return what is being tried, and how long that may take."""
    return [
        *hanging("Connecting ", Tone.STRONG, f"to {uri}", Tone.PLAIN, width),
        ((f"{stage}\N{HORIZONTAL ELLIPSIS} ", Tone.ACCENT), (f"{waited:.0f} s of at most {most:.0f} s", Tone.MUTED)),
        (),
        (("Esc cancels and goes back.", Tone.MUTED),),
    ]


def contact_lines(contact: Contact, twins: tuple[str, ...], width: int) -> list[Line]:
    """Return how the way to the host went, worst first, and what answers at its end."""
    lines: list[Line] = []
    survey = contact.survey
    if survey is None:
        lines += [*hanging("No answer ", Tone.BAD, f"from {contact.uri}", Tone.PLAIN, width), ()]
    else:
        lines += [*hanging("Answers ", Tone.GOOD, f"as {survey.host_name}", Tone.PLAIN, width), ()]
        lines += [line for label, text in _facts(survey) for line in _fact(label, text, width)]
        for twin in twins:
            told = f"same machine as {twin}: all its VMs would be counted twice"
            lines += hanging("warning  ", Tone.WARN, told, Tone.PLAIN, width)
        lines += [()] if contact.findings else []
    for finding in worst_first(contact.findings):
        lines += finding_lines(finding, width)
    return lines


def _fact(label: str, text: str, width: int) -> list[Line]:
    return hanging(f"{label:<{LABEL}}", Tone.MUTED, text, Tone.PLAIN, width)


def _facts(survey: HostSurvey) -> Iterator[tuple[str, str]]:
    software, hardware, occupation = survey.software, survey.hardware, survey.occupation
    kvm = {True: ", with KVM", False: ", without KVM", None: ""}[software.kvm]
    version = f" {show_version(software.hypervisor_version)}" if software.hypervisor == "QEMU" else ""
    yield "Software", f"{software.hypervisor}{version}{kvm}, libvirt {show_version(software.libvirt)}"
    cpu = " ".join(part for part in (hardware.cpu_vendor, hardware.cpu_model) if part)
    size = f"{plural(hardware.cores, 'core')}, {show_size(hardware.memory_bytes)} memory"
    yield "Hardware", size + (f", {cpu}" if cpu else "")
    found = [each for each in candidates(hardware, occupation.devices) if each.proposed]
    if found:
        named = [f"{each.type} {each.device.address}" for each in found[:MOST_DEVICES]]
        more = f" and {len(found) - MOST_DEVICES} more" if len(found) > MOST_DEVICES else ""
        yield "Devices", ", ".join(named) + more
    taken = f", with {plural(occupation.vcpus, 'vCPU')} and {show_size(occupation.memory_bytes)}"
    off = f"; {occupation.off} shut off" if occupation.off else ""
    yield "VMs", f"{occupation.vms} running{taken if occupation.vms else ''}{off}"


def twins_of(survey: HostSurvey | None, fleet: Fleet | None, name: str) -> tuple[str, ...]:
    """Name registered hosts that are the same machine, by libvirt's UUID of it."""
    if survey is None or fleet is None or not survey.hardware.machine_uuid:
        return ()
    return tuple(
        snapshot.name
        for snapshot in fleet.hosts
        if snapshot.name != name and snapshot.machine_uuid == survey.hardware.machine_uuid
    )
