"""What `realms hosts test` prints."""

from collections.abc import Sequence
from typing import Any

from core.operations.hosts.probe import Examination
from core.units import show_size
from tui.cli.output import error_row, headings, is_too_wide, print_table, say


def document_of(examinations: Sequence[Examination]) -> dict[str, Any]:
    """Return the JSON document: per host what it answered, or why it did not; `ok` where all did."""
    return {
        "ok": all(examination.report is not None for examination in examinations),
        "hosts": [_row(examination) for examination in examinations],
    }


def _row(examination: Examination) -> dict[str, Any]:
    report, error, profile = examination.report, examination.error, examination.profile
    row: dict[str, Any] = {
        "name": examination.name or None,
        "uri": examination.uri,
        "reachable": report is not None,
        **error_row(error),
        "profile": {"id": profile.id, "cores": profile.cores, "memory": profile.memory_bytes} if profile else None,
        "remarks": list(examination.remarks),
    }
    answered = {
        "hypervisor": report.hypervisor,
        "hypervisor_version": report.hypervisor_version,
        "libvirt_version": report.libvirt_version,
        "host_name": report.host_name,
        "machine_uuid": report.machine_uuid,
        "cores": report.cores,
        "memory": report.memory_bytes,
        "vms": report.domains,
        "active_vms": report.active_domains,
        "pools": {name: state.value for name, state in sorted(report.pools.items())},
        "duration": round(report.duration, 3),
    } if report else {}  # fmt: skip
    return row | answered


def print_examinations(examinations: Sequence[Examination]) -> None:
    """Print a table of the answers, then what is wrong and what differs from the description."""
    columns = headings("Host", "Answer", "Hypervisor", "Libvirt", ">Cores", ">Memory", ">VMs", ">Running", ">Time")
    rows = [_cells(examination) for examination in examinations]
    if is_too_wide(columns, rows):
        for examination in examinations:
            _print_as_text(examination)
    else:
        print_table(columns, rows)
    for examination in examinations:
        if examination.error is not None:
            say(f"{examination.label}: {examination.error.message}", error=True)
            if examination.error.hint:
                say(f"  {examination.error.hint}", error=True)
        for remark in examination.remarks:
            say(f"{examination.label}: {remark}")


def _print_as_text(examination: Examination) -> None:
    """Print what a host answered as lines: its URI alone may be wider than a terminal."""
    say(examination.label)
    report = examination.report
    if report is None:
        say("  no answer")
        return
    say(f"  ok in {report.duration:.1f} s: {report.hypervisor} {report.hypervisor_version}, "
        f"libvirt {report.libvirt_version},")  # fmt: skip
    vms = f"{report.domains} VMs, {report.active_domains} running"
    say(f"  {report.cores} cores, {show_size(report.memory_bytes)}, {vms}")


def _cells(examination: Examination) -> list[str]:
    report = examination.report
    if report is None:
        return [examination.label, "none", *["-"] * 7]
    return [
        examination.label,
        "ok",
        f"{report.hypervisor} {report.hypervisor_version}",
        report.libvirt_version,
        str(report.cores),
        show_size(report.memory_bytes),
        str(report.domains),
        str(report.active_domains),
        f"{report.duration:.1f} s",
    ]
