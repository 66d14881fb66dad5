"""What `realms bricks`, `drives` and `volumes` have in common: listing and deleting, their JSON and their tables."""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.driver.volumes import Volume
    from core.operations.storage_use import Image, ImagesReport, Use
    from tui.cli.options import GlobalOptions


def images_document(key: str, reports: Sequence[ImagesReport]) -> dict[str, Any]:
    """Give what `list --json` prints; `unasked` says which hosts could not be asked, or not for all, and why."""
    return {
        key: [_image_row(report, image) for report in reports for image in report.images],
        "unasked": [{"host": host, "error": reason} for report in reports for host, reason in report.unasked.items()],
        "remarks": [report.remark for report in reports if report.remark],
        "hosts_answering": sum(report.hosts_answering for report in reports),
        "hosts_total": sum(report.hosts_total for report in reports),
    }


def volume_row(volume: Volume, realm: str) -> dict[str, Any]:
    """Give a volume that was just made."""
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
    from core.operations.spare_volumes import is_orphaned

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


def _use_row(use: Use) -> dict[str, Any]:
    return {
        "kind": use.kind.value,
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
    from tui.cli.output import Column, print_table, say

    columns = [Column(title), Column("Format"), Column("Size", right=True), Column("On disk", right=True),
               Column("Created"), Column("Used by")]  # fmt: skip
    rows = []
    for image in report.images:
        uses = "; ".join(map(str, image.users))
        if not image.complete:
            uses = "incomplete: being made, or left so" + (f"; {uses}" if uses else "")
        elif not uses:
            uses = "nobody" if not report.unasked else "unknown"
        size, used = show_size(image.capacity), show_size(image.allocation)
        rows.append([image.name, image.format or "-", size, used, _moment(image.changed_at) or "-", uses])
    print_table(columns, rows, title=f"Realm {report.realm.id}")
    say(f"{len(rows)} in pool; {report.hosts_answering} of {report.hosts_total} hosts answered")
    if report.remark:
        say(report.remark, error=True)
    for host, reason in report.unasked.items():
        say(reason if reason.startswith(f"{host}: ") else f"{host}: {reason}", error=True)


def print_made(one: str, volume: Volume, realm: str, *, as_json: bool) -> None:
    """Say that a brick or drive has been made."""
    from core.units import show_size
    from tui.cli.output import print_json, say

    if as_json:
        print_json({one: volume_row(volume, realm)})
    else:
        say(f"{one} {volume.name} is in pool {volume.pool}: {volume.format}, {show_size(volume.capacity)}")


def list_images(
    options: GlobalOptions,
    key: Literal["bricks", "drives", "volumes"],
    realm: str | None,
    *,
    timeout: float,
    as_json: bool,
    orphaned: bool = False,
) -> int:
    """Carry out `list` of bricks, drives or volumes; `orphaned` keeps those that nothing is known to use."""
    from core.operations.elsewhere import ask_elsewhere
    from core.operations.on_hosts import realms_and_hosts
    from core.operations.realm_pools import PoolRole
    from core.operations.spare_volumes import is_known_to_be_used, look_at_volumes
    from core.operations.storage_use import look_at_images
    from tui.cli.output import print_json
    from tui.cli.task_output import run_task

    workplace = options.workplace()
    chosen = realms_and_hosts(workplace, realm, ())
    reports = []
    for each, hosts in chosen:
        job = (
            functools.partial(look_at_volumes, workplace, realm=each, hosts=hosts, deadline=timeout)
            if key == "volumes"
            else functools.partial(
                look_at_images,
                realm=each,
                hosts=hosts,
                role=PoolRole(key),
                deadline=timeout,
                elsewhere=ask_elsewhere(workplace, each.id, timeout, volumes=True),
            )
        )
        report = run_task(workplace, f"look at {key}", each.id, job, quiet=True, only_reads=True)
        if orphaned:
            report = replace(report, images=tuple(image for image in report.images if not is_known_to_be_used(image)))
        reports.append(report)
    if as_json:
        print_json(images_document(key, reports))
    else:
        for report in reports:
            print_images(key.capitalize(), report)
    enabled = {host.name for _, hosts in chosen for host in hosts if host.state.connects}
    return 1 if any(host in enabled for report in reports for host in report.unasked) else 0


def delete_one(
    options: GlobalOptions,
    key: Literal["bricks", "drives", "volumes"],
    name: str,
    realm: str | None,
    *,
    force: bool,
    yes: bool,
    timeout: float,
    as_json: bool,
) -> int:
    """Carry out `delete` of a brick, a drive or a volume."""
    from core.operations.on_hosts import hosts_of, one_realm
    from core.operations.realm_pools import PoolRole
    from core.operations.spare_volumes import delete_volume
    from tui.cli.output import print_json, say
    from tui.cli.task_output import confirmed, run_task

    workplace = options.changing_workplace()
    chosen = one_realm(workplace, realm)
    hosts = hosts_of(workplace, chosen)
    one = key.removesuffix("s")
    if not confirmed(f"Delete {one} {name} of realm {chosen.id} for good?", yes=yes):
        say("nothing was deleted", error=True)
        return 1
    job = functools.partial(delete_volume, workplace, realm=chosen, hosts=hosts, role=PoolRole(key))
    run_task(
        workplace, f"delete a {one}", name,
        lambda control: job(control, name=name, force=force, deadline=timeout), quiet=as_json,
    )  # fmt: skip
    if as_json:
        print_json({"deleted": name, "realm": chosen.id})
    else:
        say(f"{one} {name} is deleted")
    return 0
