"""What `realms bricks`, `drives` and `volumes` print: their JSON and their tables."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from core.driver.storage.volumes import Volume
from core.operations.storage.usage import Image, ImagesReport
from core.operations.storage.users import VolumeUser


def images_document(key: str, reports: Sequence[ImagesReport]) -> dict[str, Any]:
    """Return what `list --json` prints; `unasked` says which hosts could not be asked, or not for all, and why."""
    return {
        key: [_image_row(report, image) for report in reports for image in report.images],
        "unasked": [{"host": host, "error": reason} for report in reports for host, reason in report.unasked.items()],
        "remarks": [report.remark for report in reports if report.remark],
        "hosts_answering": sum(report.hosts_answering for report in reports),
        "hosts_total": sum(report.hosts_total for report in reports),
    }


def volume_row(volume: Volume, realm: str) -> dict[str, Any]:
    """Return a volume that was just made."""
    return {
        "name": volume.name,
        "realm": realm,
        "pool": volume.pool,
        "path": volume.path,
        "format": volume.format,
        "size": volume.capacity,
        "allocation": volume.allocation,
        "created": _moment(volume.changed_at),
    }


def _image_row(report: ImagesReport, image: Image) -> dict[str, Any]:
    from core.operations.storage.orphaned_volumes import is_orphaned

    return {
        "name": image.name,
        "realm": report.realm.id,
        "pool": image.pool,
        "path": image.path,
        "format": image.format or None,
        "size": image.capacity,
        "allocation": image.allocation,
        "created": _moment(image.changed_at),
        "complete": image.complete,
        "backing": image.backing_path or None,
        "hosts": list(image.hosts),
        "used_by": [_use_row(use) for use in image.uses],
        **({"orphaned": is_orphaned(report, image)} if report.role == "volumes" else {}),
    }


def _use_row(use: VolumeUser) -> dict[str, Any]:
    return {
        "kind": "perhaps" if not use.certain and use.kind != "mark" else use.kind.value,
        "name": use.name,
        "host": use.host or None,
        "pool": use.pool or None,
        "active": use.active,
        "vms": list(use.vms),
        "realm": use.realm or None,
        "path": use.path or None,
    }


def _moment(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return dt.datetime.fromtimestamp(int(seconds), dt.UTC).isoformat().replace("+00:00", "Z")


def print_images(title: str, report: ImagesReport) -> None:
    """Print the bricks or drives of a realm as a table, and which hosts could not be asked."""
    from core.units import show_size
    from tui.cli.output import headings, print_table, say

    columns = headings(title, "Format", ">Size", ">On disk", "Created", "Used by")
    rows = []
    for image in report.images:
        uses = "; ".join(map(str, image.users))
        if not image.complete:
            uses = "incomplete: in progress or interrupted" + (f"; {uses}" if uses else "")
        elif not uses:
            uses = "nobody" if not report.unasked else "unknown"
        size, used = show_size(image.capacity), show_size(image.allocation)
        rows.append([image.name, image.format or "-", size, used, _moment(image.changed_at) or "-", uses])
    print_table(columns, rows, title=f"Realm {report.realm.id}")
    say(f"{len(rows)} in pool; {report.hosts_answering} of {report.hosts_total} hosts answered")
    if report.remark:
        say(report.remark, error=True)
    for host, reason in report.unasked.items():
        say(f"{host}: {reason}", error=True)
