"""A host as administrators describe it: name, URI, profile, state, address translation (specification, section 7)."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import StrEnum

from core.errors import HostRefused
from core.units import whole_number

MAX_NAME = 100
"""Characters that a host's name may have."""

PORTS_PER_HOST = 256
"""Ports that a translation takes, one for each last octet: base port to base port + 255."""


class HostState(StrEnum):
    """What the program does with a host."""

    ENABLED = "enabled"
    NO_SCHEDULING = "no-scheduling"
    DISABLED = "disabled"

    @property
    def label(self) -> str:
        """The state as administrators say it."""
        return {"enabled": "Enabled", "no-scheduling": "No Scheduling", "disabled": "Disabled"}[self.value]

    @property
    def connects(self) -> bool:
        """Whether a connection to a host in this state is kept."""
        return self is not HostState.DISABLED


@dataclass(frozen=True, slots=True)
class StaticAddress:
    """Static address translation: VMs answer at `address`, port `base_port` + last octet of their IPv4 address."""

    address: str
    base_port: int

    def __post_init__(self) -> None:
        try:
            ipaddress.IPv4Address(self.address)
        except ValueError as error:
            message = f"{self.address!r} is not an IPv4 address"
            raise HostRefused(message, hint="write it as ADDRESS:BASEPORT, such as 203.0.113.7:7000") from error
        highest = 65536 - PORTS_PER_HOST
        if not 1 <= self.base_port <= highest:
            message = f"base port {self.base_port} is out of range"
            raise HostRefused(message, hint=f"must be 1 to {highest}: base port + 255 must also be a port")

    @classmethod
    def parse(cls, text: str) -> StaticAddress:
        """Read `IPv4:BASEPORT`; raises HostRefused."""
        address, colon, port = text.strip().rpartition(":")
        number = whole_number(port)
        if not colon or number is None or port != port.strip():
            message = f"{text!r} is not a static address translation"
            raise HostRefused(message, hint="write it as ADDRESS:BASEPORT, such as 203.0.113.7:7000")
        return cls(address, number)

    def endpoint(self, vm_address: str) -> str | None:
        """Where a VM answers; None where its address is not IPv4."""
        try:
            octet = ipaddress.IPv4Address(vm_address).packed[3]
        except ValueError:
            return None
        return f"{self.address}:{self.base_port + octet}"

    def clashes_with(self, other: StaticAddress) -> bool:
        """Return whether two hosts' translations share a port."""
        return self.address == other.address and abs(self.base_port - other.base_port) < PORTS_PER_HOST

    def __str__(self) -> str:
        return f"{self.address}:{self.base_port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A host in the registry. `version` is another after each change, so that an edit of an old copy is noticed."""

    name: str
    realm: str
    uri: str
    profile: str
    state: HostState = HostState.ENABLED
    static_address: StaticAddress | None = None
    version: int = 0


def check_name(name: str) -> str:
    """Return the name back where it can be a host's; raises HostRefused with the rule that it breaks."""
    if not name or len(name) > MAX_NAME:
        message = f"a host's name must have 1 to {MAX_NAME} characters, not {len(name)}"
        raise HostRefused(message)
    if name != name.strip():
        message = f"the name {name!r} starts or ends with whitespace"
        raise HostRefused(message, hint=f"did you mean {name.strip()!r}?")
    if not name.isprintable():
        message = f"the name {name!r} has unprintable characters"
        raise HostRefused(message)
    if "/" in name:
        message = f"the name {name!r} contains a slash"
        raise HostRefused(message, hint="HOST/NAME names a VM on a host; use another character")
    return name
