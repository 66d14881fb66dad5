"""What is wrong with the fields of a host, said while they are written."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import HostRefused
from core.hosts import Host, StaticAddress, check_name
from core.uris import parse_uri


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a field; `refused` False for a mere warning."""

    text: str
    refused: bool = True


def check_host_name(name: str, others: Sequence[Host]) -> Fault | None:
    """Check a host's name, also against the other hosts."""
    if not name:
        return Fault("name is required")
    try:
        check_name(name)
    except HostRefused as error:
        return _fault(error)
    if any(other.name == name for other in others):
        return Fault(f"a host named {name} exists already")
    return None


def check_uri(uri: str) -> Fault | None:
    """Check a libvirt URI."""
    if not uri:
        return Fault("a URI such as qemu+ssh://root@host/system")
    try:
        warnings = parse_uri(uri).warnings
    except HostRefused as error:
        return _fault(error)
    return Fault("; ".join(warnings), refused=False) if warnings else None


def check_static_address(text: str, others: Sequence[Host]) -> Fault | None:
    """Check a static address translation, which may be empty, also against those of other hosts."""
    if not text:
        return None
    try:
        wanted = StaticAddress.parse(text)
    except HostRefused as error:
        return _fault(error)
    for other in others:
        if other.static_address is not None and wanted.clashes_with(other.static_address):
            return Fault(f"clashes with {other.name}, which has {other.static_address}")
    return None


def _fault(error: HostRefused) -> Fault:
    return Fault(f"{error.message}: {error.hint}" if error.hint else error.message)
