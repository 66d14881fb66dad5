"""What the figures of the whole fleet are about, in one line."""

from core.fleet.fleet import Fleet

_DOT = " \N{MIDDLE DOT} "


def summary(fleet: Fleet | None, label: str, tasks: str = "") -> tuple[tuple[str, str], ...]:
    """Say what runs, how many hosts answer, and how many VMs they have: "7 of 8 hosts · 212 VMs", in styled pieces."""
    parts: list[tuple[str, str]] = [(tasks, "$accent bold")] if tasks else []
    if label:
        parts.append((label, "$accent"))
    if fleet is None:
        parts.append(("looking for hosts", "$muted"))
    else:
        answering, total = fleet.hosts_answering, fleet.hosts_total
        hosts = f"{answering} of {total} hosts" if answering != total else plural(total, "host")
        parts.append((hosts, "$warning bold" if answering < total else ""))
        parts.append((plural(sum(len(snapshot.vms) for snapshot in fleet.hosts), "VM"), ""))
    pieces: list[tuple[str, str]] = []
    for part in parts:
        if pieces:
            pieces.append((_DOT, "$faint"))
        pieces.append(part)
    return tuple(pieces)


def plural(count: int, noun: str) -> str:
    """Write a number of things: "1 VM", "12 VMs"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
