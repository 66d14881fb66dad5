"""Faults of hosts as pairs: how one begins, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from .host import LabHost


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong with a host."""

    name: str
    begin: Callable[[LabHost], object]
    end: Callable[[LabHost], object]


def _deny(host: LabHost, verdict: str) -> None:
    """Have a host's firewall do something with everything that comes in on the wire."""
    rules = f"table inet fault {{ chain arriving {{ type filter hook input priority -10; iif != lo {verdict}; }}\n}}\n"
    host.run("nft", "-f", "-", stdin=rules)


def _admit(host: LabHost) -> None:
    host.run("nft", "delete", "table", "inet", "fault", check=False)


HUNG = Fault("hung: libvirtd stopped", lambda host: host.hang(), lambda host: host.wake())
BLACK_HOLE = Fault("black hole: packets vanish", lambda host: _deny(host, "drop"), _admit)
REFUSING = Fault("refusing: port 22 closed", lambda host: _deny(host, "meta l4proto tcp reject with tcp reset"), _admit)
CRASHED = Fault("crashed: no libvirtd", lambda host: host.crash_libvirtd(), lambda host: host.start_libvirtd())
UNPLUGGED = Fault("unplugged: no carrier", lambda host: host.cut(), lambda host: host.join())
