"""The hosts of a registry in a form that other stores and other registries can read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from core.config.model import Configuration
from core.document import read_json
from core.errors import HostRefused, UnreadableFile
from core.hosts import Host
from core.registry.records import NotARecord, fields_of_host, host_from
from core.registry.transactions import Transaction
from core.text import json_text

EXPORT_FORMAT = "realms-registry-export/1"
MOST_BYTES = 64 * 1024**2
"""Of an export."""


@dataclass(frozen=True, slots=True)
class Imported:
    """Names of the hosts of an import: those that are new, changed, and as they were; and warnings."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    warnings: tuple[str, ...]


def dump_hosts(hosts: Iterable[Host], now: float) -> str:
    """Return hosts as a JSON document; `now` is in seconds since the epoch. Versions are the registry's own."""
    moment = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    rows = [{key: value for key, value in fields_of_host(host).items() if key != "version"} for host in hosts]
    return json_text({"format": EXPORT_FORMAT, "exported_at": moment, "hosts": rows}, indent=2)


def parse_hosts(text: str, source: str) -> tuple[Host, ...]:
    """Read hosts from an exported document; raises UnreadableFile, which names `source` and the host."""
    try:
        document = read_json(text)
    except ValueError as error:
        raise UnreadableFile(f"{source} is not JSON: {error}", hint=f"expected {EXPORT_FORMAT}") from error
    rows = document.get("hosts") if isinstance(document, dict) else None
    if not isinstance(document, dict) or document.get("format") != EXPORT_FORMAT or not isinstance(rows, list):
        raise UnreadableFile(f"{source} is no {EXPORT_FORMAT}", hint="realms registry export writes one")
    hosts: list[Host] = []
    for number, row in enumerate(rows, 1):
        try:
            if not isinstance(row, dict):
                raise NotARecord("it is not an object")
            host = host_from({**row, "version": 0})
        except KeyError as error:
            raise UnreadableFile(f"{source}: host {number} has no {error.args[0]}") from error
        except (ValueError, OverflowError, HostRefused) as error:
            raise UnreadableFile(f"{source}: host {number}: {error}") from error
        if host.name in {other.name for other in hosts}:
            raise UnreadableFile(f"{source}: host {number}: {host.name} is there twice")
        hosts.append(host)
    return tuple(hosts)


def import_hosts(
    changes: Transaction, hosts: Sequence[Host], configuration: Configuration, *, overwrite: bool
) -> Imported:
    """Register hosts in a transaction. Hosts of the same name are changed where `overwrite` says so.

    Raises HostRefused for a host that differs otherwise, and for what the registry refuses; nothing is changed then.
    """
    present = {host.name: host for host in changes.hosts}
    added: list[str] = []
    changed: list[str] = []
    unchanged: list[str] = []
    warnings: list[str] = []
    for host in hosts:
        old = present.get(host.name)
        if old is None:
            warnings += changes.add(host, configuration)
            added.append(host.name)
        elif replace(host, version=old.version) == old:
            unchanged.append(host.name)
        elif overwrite:
            warnings += changes.replace(old, host, configuration)
            changed.append(host.name)
        else:
            message = f"{host.name} is registered with other settings; nothing was imported"
            raise HostRefused(message, hint="add --overwrite to take those of the file")
    return Imported(tuple(added), tuple(changed), tuple(unchanged), tuple(warnings))
