"""What the commands of `realms pools` print of hosts' pools: the document, the tables, what failed."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from core.driver.storage.pool_setup import PoolFacts
from core.errors import RealmsError
from core.operations.storage.pool_report import HostPools, PoolRole, PoolsReport
from core.units import show_size
from tui.cli.output import headings, is_too_wide, print_table, say


def document_of(reports: Sequence[PoolsReport]) -> dict[str, Any]:
    """Return what `pools status --json` prints."""
    hosts = [host for report in reports for host in report.hosts]
    return {
        "hosts": [
            host_row(
                report,
                host,
                [
                    {
                        **_pool_row(pool.role, pool.facts, report, host.host.name),
                        "unread": pool.unread or None,
                        "changes": list(pool.changes),
                    }
                    for pool in host.pools
                ],
            )
            for report in reports
            for host in report.hosts
        ],
        "sharing": [
            {
                "realm": report.realm.id,
                "pool": sharing.pool,
                "role": sharing.role.value,
                "shared": sharing.shared,
                "by": sharing.by or None,
                "groups": [list(group) for group in sharing.groups],
                "error": sharing.error or None,
            }
            for report in reports
            for sharing in report.sharing
        ],
        "ok": all(report.ok for report in reports),
        "hosts_answering": sum(host.error is None for host in hosts),
        "hosts_total": sum(host.host.state.connects for host in hosts),
    }


def host_row(report: PoolsReport, host: HostPools, pools: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the row of one host, with a row for each of its pools."""
    return {
        "host": host.host.name,
        "realm": report.realm.id,
        "error": None if host.error is None else str(host.error),
        "code": None if host.error is None else host.error.code,
        "pools": pools,
    }


def _pool_row(role: PoolRole, facts: PoolFacts, report: PoolsReport, host: str) -> dict[str, Any]:
    sharing = next((sharing for sharing in report.sharing if sharing.role is role), None)
    shared = None if sharing is None else sharing.shared_by(host)
    mode = facts.permissions.mode
    return {
        "pool": facts.name,
        "role": role.value,
        "state": facts.state.value,
        "autostart": facts.autostart,
        "type": facts.type or None,
        "path": facts.path or None,
        "source": facts.source or None,
        "mode": None if mode is None else f"{mode:04o}",
        "owner": facts.permissions.owner,
        "group": facts.permissions.group,
        "capacity": facts.capacity,
        "allocation": facts.allocation,
        "free": facts.available,
        "shared": shared,
        "shared_by": sharing.by if sharing is not None and shared is not None else None,
        "error": sharing.error or None if sharing is not None else None,
    }


_Listed: TypeAlias = "tuple[str, Mapping[str, Any] | None]"
"""A host's name, and one of its pools as `_pool_row` gives it; None where the host has not answered."""

_SHARED = {True: "yes", False: "NO", None: "unknown"}


def print_report(report: PoolsReport) -> None:
    """Print the pools of a realm on each host: one table, or two where a terminal is too narrow for it."""
    columns = headings("Host", "Pool", "State", "Autostart", "Type", "Path", ">Size", ">Free", "Shared")
    listed: list[_Listed] = []
    for host in report.hosts:
        name = host.host.name
        if host.error is not None:
            listed.append((name, None))
        listed += [(name, _pool_row(pool.role, pool.facts, report, name)) for pool in host.pools]
    rows = [[name, *_cells(row)] for name, row in listed]
    if is_too_wide(columns, rows):
        _print_narrow(report, listed)
    else:
        print_table(columns, rows, title=f"Realm {report.realm.id}")
    for host in report.hosts:
        if host.error is not None:
            say(str(host.error), error=True)
    for sharing in report.sharing:
        if sharing.groups or sharing.error:
            say(sharing.message)


def _print_narrow(report: PoolsReport, listed: Sequence[_Listed]) -> None:
    """Print the same as two tables that a terminal has room for: how each pool is, and where."""
    columns = headings("Host", "Pool", "State", ">Size", ">Free", "Shared")
    states = []
    places: dict[tuple[str, str, str], list[str]] = {}
    for host, row in listed:
        if row is None:
            states.append([host, *["?"] * 5])
            continue
        manual = ", manual" if row["type"] and not row["autostart"] else ""
        states.append([host, row["pool"], row["state"] + manual, *_sizes(row), _SHARED[row["shared"]]])
        if row["path"]:
            places.setdefault((row["pool"], row["type"] or "-", _place(row)), []).append(host)
    print_table(columns, states, title=f"Realm {report.realm.id}")
    where = [[pool, kind, path, ", ".join(hosts)] for (pool, kind, path), hosts in places.items()]
    if where:
        print_table(headings("Pool", "Type", "Path", "Hosts"), where)


def _cells(row: Mapping[str, Any] | None) -> list[str]:
    if row is None:
        return ["?"] * 8
    autostart = "on" if row["autostart"] else "off" if row["type"] else "-"
    return [
        row["pool"], row["state"], autostart, row["type"] or "-", _place(row), *_sizes(row), _SHARED[row["shared"]],
    ]  # fmt: skip


def _place(row: Mapping[str, Any]) -> str:
    return f"{row['path'] or '-'}" + (f" from {row['source']}" if row["source"] else "")


def _sizes(row: Mapping[str, Any]) -> list[str]:
    return ["-" if amount is None else show_size(amount) for amount in (row["capacity"], row["free"])]


def print_failure(error: RealmsError | None) -> None:
    """Print what failed on some hosts, below the report of all; nothing if nothing did."""
    if error is not None:
        say(f"realms: {error.message}", error=True)
        if error.hint:
            say(f"  {error.hint}", error=True)
