"""What ties a domain to its host, beside its PCI devices: read from its XML."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from xml.etree import ElementTree as ET

from core.units import whole_number

_RANDOM = frozenset({"/dev/random", "/dev/urandom", "/dev/hwrng"})
_CHARACTER_DEVICES = ("serial", "parallel", "console", "channel", "smartcard", "redirdev")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ties:
    """What a domain needs of its very host."""

    held: tuple[str, ...] = ()
    """What no other host can have, in words."""
    needed: tuple[str, ...] = ()
    """What the other host must have at the same place, in words."""
    secrets: tuple[str, ...] = ()
    """UUIDs or usage names of libvirt's secrets, which the other host must know."""
    vsock: int | None = None
    """A context id that the domain insists on; no two domains of a host can have the same."""


NO_TIES = Ties()


def ties_of(domain: ET.Element) -> Ties:
    """Return what ties a `<domain>` to its host."""
    return Ties(
        held=tuple(dict.fromkeys(_held(domain))),
        needed=tuple(dict.fromkeys(_needed(domain))),
        secrets=tuple(dict.fromkeys(_secrets(domain))),
        vsock=_vsock(domain),
    )


def _held(domain: ET.Element) -> Iterator[str]:
    for source in domain.iterfind("devices//source[@protocol]"):  # of disks, their mirrors and layers, SCSI hostdevs
        protocol = source.get("protocol", "")
        for host in source.iterfind("host"):
            name = host.get("name", "")
            if host.get("transport") == "unix":
                yield f"the {protocol} server at {host.get('socket', 'a socket')}"
            elif _is_loopback(name):
                yield f"the {protocol} server of the host itself, at {name}"
    for kind in _CHARACTER_DEVICES:
        for device in domain.iterfind(f"devices/{kind}[@type='dev']"):
            yield f"the host's character device {_path(device)}".strip()
    for backend in domain.iterfind("devices/tpm/backend"):
        if backend.get("type") == "passthrough":
            node = backend.find("device")
            yield f"the host's TPM {'' if node is None else node.get('path', '')}".strip()
        elif backend.get("type") == "external":
            yield f"an external TPM, at {_path(backend) or 'a socket of the host'}"
    for nic in domain.iterfind("devices/interface"):
        if nic.get("type") == "vdpa":
            yield f"the host's vDPA device {_attribute(nic, 'dev')}".strip()
        elif nic.get("type") == "vhostuser":
            yield f"a vhost-user network, at {_path(nic) or 'a socket of the host'}"
    for device in domain.iterfind("devices/input"):
        if device.get("type") in ("evdev", "passthrough"):
            where = _attribute(device, "dev") or _attribute(device, "evdev")
            yield f"the host's input device {where}".strip()


def _needed(domain: ET.Element) -> Iterator[str]:
    for memory in domain.iterfind("devices/memory"):
        path = memory.findtext("source/path", "").strip()
        if path:
            yield f"memory of type {memory.get('model', '')}, at {path}"
    if domain.find("memoryBacking/source[@type='file']") is not None:
        yield "memory backed by files of the host"
    if domain.find("memoryBacking/hugepages") is not None:
        yield "huge pages"
    for backend in domain.iterfind("devices/rng/backend"):
        if backend.get("model") == "egd":
            yield f"random numbers of an EGD server, at {_path(backend) or 'a socket'}"
        elif (path := (backend.text or "").strip()) and path not in _RANDOM:
            yield f"random numbers of {path}"
    for kind in _CHARACTER_DEVICES:
        for device in domain.iterfind(f"devices/{kind}"):
            source = device.find("source")
            connects = source is not None and source.get("mode") == "connect"
            if device.get("type") == "pipe" or (device.get("type") == "unix" and connects):
                yield f"a {device.get('type')} of the host, {_path(device)}".rstrip(", ")
    for lease in domain.iterfind("devices/lease"):
        yield f"the lockspace {lease.findtext('lockspace', '').strip()}".strip()


def _secrets(domain: ET.Element) -> Iterator[str]:
    encryption = domain.iterfind("devices/tpm/backend/encryption")
    for secret in (*domain.iterfind("devices//secret"), *encryption):
        name = secret.get("uuid") or secret.get("usage") or secret.get("secret")
        if name:
            yield name.strip()


def _vsock(domain: ET.Element) -> int | None:
    cid = domain.find("devices/vsock/cid")
    return None if cid is None or cid.get("auto") == "yes" else whole_number(cid.get("address"))


def _is_loopback(name: str) -> bool:
    try:
        return ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return name.lower().rstrip(".") in ("localhost", "localhost.localdomain", "ip6-localhost")


def _path(element: ET.Element) -> str:
    return _attribute(element, "path")


def _attribute(element: ET.Element, name: str) -> str:
    source = element.find("source")
    return "" if source is None else source.get(name, "")
