"""Libvirt connection URIs: which forms are accepted, and what they reach (specification, section 7)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from core.errors import HostRefused
from core.text import nearest

DRIVERS = ("qemu", "test")
"""`test` is libvirt's embedded driver: a whole host inside the process."""

TRANSPORTS = ("", "ssh", "libssh", "libssh2", "tls", "tcp", "unix")

_CLOSE = 0.6
"""There are but few, and short ones: a word that is less alike than a name would have to be means one of them."""

_RUNS_A_PROGRAM = ("command", "netcat")
_EXAMPLES = "qemu:///system, qemu+ssh://root@host/system"


@dataclass(frozen=True, slots=True)
class ConnectionUri:
    """A URI that was found acceptable. `host` is empty for a local connection."""

    text: str
    driver: str
    transport: str
    host: str
    warnings: tuple[str, ...] = ()

    @property
    def is_local(self) -> bool:
        """Whether the libvirt daemon, or the embedded driver, is on this machine."""
        return not self.host

    @property
    def uses_ssh_program(self) -> bool:
        """Whether libvirt starts an ssh client of its own for this connection."""
        return self.transport == "ssh"


def parse_uri(text: str) -> ConnectionUri:
    """Accept a connection URI or raise HostRefused, saying which part is wrong."""
    if not text or not text.isprintable() or any(character.isspace() for character in text):
        message = f"{text!r} is not a libvirt URI"
        raise HostRefused(message, hint=_EXAMPLES)
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
        parameters = parse_qsl(parts.query.replace(";", "&"), keep_blank_values=True)  # libvirt splits at both
    except ValueError as error:
        message = f"{text!r} is not a libvirt URI: {error}"
        raise HostRefused(message, hint=_EXAMPLES) from error
    driver, _, transport = parts.scheme.partition("+")
    if "://" not in text or driver not in DRIVERS:
        near = nearest(driver, DRIVERS, _CLOSE)
        message = f"unknown driver {driver!r} in {text!r}" if parts.scheme else f"{text!r} has no driver"
        raise HostRefused(message, hint=f"did you mean {near}?" if near else _EXAMPLES)
    if transport not in TRANSPORTS or parts.scheme.endswith("+"):
        near = nearest(transport, TRANSPORTS[1:], _CLOSE)
        message = f"unknown transport {transport!r} in {text!r}"
        raise HostRefused(message, hint=f"did you mean {near}?" if near else "ssh, libssh, libssh2, tls, tcp")
    _refuse_programs(text, parameters)
    if parts.password is not None:
        message = "a URI must not contain a password"
        raise HostRefused(message, hint="use ssh keys instead")
    if parts.fragment:
        message = f"{text!r} has a fragment (#), which libvirt does not support"
        raise HostRefused(message, hint=_EXAMPLES)
    if host.startswith("-") or (parts.username or "").startswith("-"):
        message = f"{text!r}: a host or user must not start with a dash"
        raise HostRefused(message)
    if transport not in ("", "unix") and not host:
        message = f"{text!r} has no host"
        raise HostRefused(message, hint=f"such as {parts.scheme}://root@host/system")
    _check_path(text, driver, parts.path)
    warnings = []
    if transport == "tcp":
        warnings.append("tcp is neither encrypted nor authenticated: use ssh or tls except for tests")
    if host and not transport:
        transport = "tls"  # what libvirt does with a host and no transport
    if transport == "tls" and dict(parameters).get("no_verify") == "1":
        warnings.append("no_verify=1 accepts any certificate")
    if port == 0:
        message = f"port 0 in {text!r}"
        raise HostRefused(message)
    return ConnectionUri(text, driver, transport, host, tuple(warnings))


def _refuse_programs(text: str, parameters: list[tuple[str, str]]) -> None:
    for key, value in parameters:
        if key.lower() in _RUNS_A_PROGRAM or (key.lower() == "proxy" and value.lower() == "netcat"):
            message = f"parameter {key}={value} in {text!r} runs an arbitrary program"
            raise HostRefused(message, hint=f"remove {key}")


def _check_path(text: str, driver: str, path: str) -> None:
    if driver == "qemu" and path not in ("/system", "/session"):
        message = f"{text!r} has the path {path!r}" if path else f"{text!r} has no path"
        raise HostRefused(message, hint="for the system daemon use /system: " + _EXAMPLES)
    if driver == "test" and path in ("", "/"):
        message = f"{text!r} names no host file"
        raise HostRefused(message, hint="test:///absolute/path/node.xml, or test:///default")
