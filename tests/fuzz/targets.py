"""What is fuzzed: texts that are right, what reads them, and by which errors it may refuse others."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.clock import FixedClock
from core.config.reader import load
from core.document import Malformed
from core.driver.xml.domain_xml import read_domain
from core.driver.xml.metadata import RealmMark, mark_text, read_mark
from core.driver.xml.reader import XmlRefused, parse
from core.errors import RealmsError
from core.fleet.file import dump
from core.fleet.file import parse as parse_fleet
from core.hardware import Device, NotAPciAddress, PciAddress
from core.hosts import Host
from core.operations.scheduling.log_reader import read_decision
from core.operations.scheduling.log_writer import SchedulingDecision, append_decision
from core.operations.tasks.journal import Journal
from core.placement.engine.engine import place
from core.placement.engine.request import Request
from core.registry.hosts import HostRegistry
from core.registry.transfer import dump_hosts, parse_hosts
from core.reservations import Reservation
from core.units import NotAQuantity, parse_duration, parse_size, whole_number
from core.uris import parse_uri
from tests.placement.world import CONFIGURATION, GIB, GPUS, fleet, snapshot, vm
from tui.render.vms.table import VM_COLUMNS
from tui.widgets.row_filter import parse_filter

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Target:
    """Something that reads texts from outside."""

    seeds: tuple[str, ...]
    read: Callable[[str], object]
    refusals: tuple[type[Exception], ...] = (RealmsError,)


def _file(text: str, name: str) -> Path:
    """Write a text that may not be UTF-8 into a file of this process."""
    folder = Path(tempfile.mkdtemp(prefix="realms-fuzz-"))
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    return path


def _read_file(text: str, name: str, read: Callable[[Path], object]) -> None:
    path = _file(text, name)
    try:
        read(path)
    finally:
        for left in sorted(path.parent.rglob("*"), reverse=True):
            left.unlink() if left.is_file() else left.rmdir()
        path.parent.rmdir()


def _registry(text: str) -> None:
    _read_file(text, "registry.json", lambda path: HostRegistry(path, FixedClock()).hosts())


def _journal(text: str) -> None:
    def read(path: Path) -> None:
        folder = path.parent / "registry.journal"
        folder.mkdir()
        path.rename(folder / "20260101T000000-1.jsonl")
        Journal(path.parent / "registry.json", FixedClock()).records()

    _read_file(text, "record", read)


def _quantities(text: str) -> None:
    whole_number(text, base=0)
    for read, refusal in (
        (parse_size, NotAQuantity),
        (parse_duration, NotAQuantity),
        (PciAddress.parse, NotAPciAddress),
    ):
        try:
            read(text)
        except refusal:
            continue


def _written(write: Callable[[Path], object], name: str) -> str:
    """Return what the program itself writes into a file beside a registry."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / "registry.json")
        return (Path(folder) / name).read_text()


def _write_registry(path: Path) -> None:
    registry = HostRegistry(path, FixedClock())
    registry.add(HOST, CONFIGURATION)
    registry.change(lambda changes: changes.reserve(RESERVATION))


def _write_decision(path: Path) -> None:
    of = fleet(snapshot("h", vm("h", "db", devices=GPUS[:1]), profile="gpu-node"))
    placements = place(CONFIGURATION, of, Request(2, GIB, {"a100": 1}, "main"))
    append_decision(path, SchedulingDecision(CONFIGURATION, of, placements, operation="create"))


HOST = Host(name="h", realm="main", uri="test:///default", profile="cpu-node")
RESERVATION = Reservation(uuid="u", vm="v", host="h", vcpus=1, memory_bytes=GIB, taken_at=1.0)
RECORD = {
    "format": "libvirt-realms-journal/1", "id": "1", "operation": "create", "vm": "web", "uuid": "u", "realm": "r",
    "owner": "root@here 5", "time": 1.0, "worker": {"machine": "m", "boot": "b", "pid": 5, "started": 7},
}  # fmt: skip
URIS = (
    "qemu+ssh://root@h1:22/system?no_verify=1&keyfile=/a+b",
    "test:///default",
    "qemu+tls://[fe80::1%25eth0]/system",
)

TARGETS = {
    "configuration": Target(
        ((ROOT / "tests" / "fuzz" / "whole.conf").read_text(),),
        lambda text: _read_file(text, "ticrypt-vm.conf", load),
    ),
    "domain": Target(
        tuple(path.read_text() for path in sorted((ROOT / "tests" / "driver" / "data").glob("*.xml"))),
        read_domain,
        (XmlRefused,),
    ),
    "metadata": Target(
        (mark_text(RealmMark(realm="r", brick="b", created_at=1.0, devices=(Device("gpu", GPUS[0]),))),),
        lambda text: read_mark(parse(text, "vm")),
        (XmlRefused,),
    ),
    "registry": Target((_written(_write_registry, "registry.json"),), _registry),
    "export": Target((dump_hosts([HOST], 1.0),), lambda text: parse_hosts(text, "file")),
    "fleet": Target(
        (dump(fleet(snapshot("h", vm("h", "db", devices=GPUS[:1]), profile="gpu-node")), CONFIGURATION),),
        lambda text: parse_fleet(text, now=1.0),
    ),
    "decision": Target((_written(_write_decision, "scheduling.jsonl"),), read_decision, (Malformed,)),
    "journal": Target((json.dumps(RECORD) + '\n{"step": "volume", "pool": "p", "volume": "v"}\n',), _journal),
    "uri": Target(URIS, parse_uri),
    "quantity": Target(("1.5 GiB", "10 minutes", "0000:41:00.0", "0x41"), _quantities),
    "filter": Target(("mem>=32GiB host:h3 !web (a|b)+ uptime<2d",), lambda text: parse_filter(text, VM_COLUMNS)),
}
