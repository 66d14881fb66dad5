"""Libvirt connection URIs, read as libvirt reads them: which are accepted, and what they reach (specification, 7)."""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote

from core.errors import HostRefused
from core.text import nearest

DRIVERS = ("qemu", "test")
"""`test` is libvirt's embedded driver: a whole host inside the process."""

TRANSPORTS = ("", "ssh", "libssh", "libssh2", "tls", "tcp", "unix")

_CLOSE = 0.6
"""There are but few, and short ones: a word that is less alike than a name would have to be means one of them."""

_RUNS_A_PROGRAM = ("command", "netcat")
_EXAMPLES = "qemu:///system, qemu+ssh://root@host/system"

_URI = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9.+-]*)://(?:(?P<user>[^@/?#]*)@)?(?P<host>\[[^]@/?#]*\]|[^]\[:@/?#]*)"
    r"(?::(?P<port>[0-9]+))?(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?(?P<fragment>#.*)?"
)
_HOST_NAME = re.compile(r"\w(?:[\w.-]{0,252})")
_BRACKETED = re.compile(r"\[[^]/?#]*\]")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")

_NUMBERS = ("no_verify", "no_tty", "no_sanity")
"""Parameters that libvirt reads as a whole number: any but 0 means yes."""

_WHOLE_NUMBER = re.compile(r"\s*[+-]?[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ConnectionUri:
    """A URI that was found acceptable, its parts decoded. `host` is empty for a local connection."""

    text: str
    driver: str
    transport: str
    host: str
    user: str = ""
    port: int | None = None
    path: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    """Names in lower case, and values, in their order; the last one of a name counts."""
    warnings: tuple[str, ...] = ()

    @property
    def is_local(self) -> bool:
        """Whether the libvirt daemon, or the embedded driver, is on this machine."""
        return not self.host

    @property
    def uses_ssh_program(self) -> bool:
        """Whether libvirt starts an ssh client of its own for this connection."""
        return self.transport == "ssh"

    @property
    def verifies_host(self) -> bool:
        """Whether the host has to prove who it is; False with no_verify=1."""
        return int(dict(self.parameters).get("no_verify", "0")) == 0

    def parameter(self, name: str) -> str:
        """Return the value of a parameter, by its name in lower case; empty where it isn't given."""
        return dict(self.parameters).get(name, "")

    def with_parameters(self, parameters: Iterable[tuple[str, str]]) -> str:
        """Return the text of this URI with these parameters instead."""
        query = "&".join(f"{quote(name)}={quote(value, safe='/+:@,~=')}" for name, value in parameters)
        return self.text.partition("?")[0] + (f"?{query}" if query else "")


def parse_uri(text: str) -> ConnectionUri:
    """Accept a connection URI or raise HostRefused, saying which part is wrong."""
    if not text or not text.isprintable() or any(character.isspace() for character in text):
        raise _refused(f"{text!r} is not a libvirt URI")
    match = _URI.fullmatch(text)
    scheme = (match["scheme"] if match else text.partition("://")[0] if "://" in text else "").lower()
    driver, _, transport = scheme.partition("+")
    if driver not in DRIVERS:
        near = nearest(driver, DRIVERS, _CLOSE)
        message = f"unknown driver {driver!r} in {text!r}" if scheme else f"{text!r} has no driver"
        raise _refused(message, f"did you mean {near}?" if near else _EXAMPLES)
    if transport not in TRANSPORTS or scheme.endswith("+"):
        near = nearest(transport, TRANSPORTS[1:], _CLOSE)
        message = f"unknown transport {transport!r} in {text!r}"
        raise _refused(message, f"did you mean {near}?" if near else "ssh, libssh, libssh2, tls, tcp")
    if match is None or not text.isascii() or _BROKEN_ESCAPE.search(_BRACKETED.sub("", text, 1)):
        hint = "" if text.isascii() else "write other than ASCII characters as %XX, percent-encoded UTF-8"
        raise _refused(f"{text!r} is not a libvirt URI", hint or _EXAMPLES)
    parameters = _parameters(text, match["query"] or "")
    _refuse_programs(text, parameters)
    user, host, port, path = _user(text, match["user"]), _host(text, match["host"]), match["port"], match["path"] or ""
    if match["fragment"]:
        raise _refused(f"{text!r} has a fragment (#), which libvirt does not support")
    if transport not in ("", "unix") and not host:
        raise _refused(f"{text!r} has no host", f"such as {scheme}://root@host/system")
    if port is not None and not 0 < int(port[:6]) < 65536:
        raise _refused(f"port {port[:6]} in {text!r} is not a port", "1 to 65535")
    path = _decoded(text, path)
    _check_path(text, driver, path)
    if host and not transport:
        transport = "tls"  # what libvirt does with a host and no transport
    uri = ConnectionUri(text, driver, transport, host, user, int(port) if port else None, path, tuple(parameters))
    return _with_warnings(uri)


def _refused(message: str, hint: str = _EXAMPLES) -> HostRefused:
    return HostRefused(message, hint=hint)


def _decoded(text: str, part: str) -> str:
    decoded = unquote(part)
    if not decoded.isprintable():
        raise _refused(f"{text!r}: {decoded!r} has unprintable characters")
    return decoded


def _user(text: str, user: str | None) -> str:
    if user is None:
        return ""
    if ":" in user:
        raise _refused("a URI must not contain a password", "use ssh keys instead")
    decoded = _decoded(text, user)
    if not decoded or decoded.startswith("-"):
        raise _refused(f"{text!r}: a user must " + ("not start with a dash" if decoded else "have a name"))
    return decoded


def _host(text: str, host: str) -> str:
    decoded = _decoded(text, host)
    if host.startswith("["):
        decoded = decoded[1:-1]
        address, percent, zone = decoded.partition("%")
        try:
            ipaddress.IPv6Address(address)
        except ValueError as error:
            raise _refused(f"{text!r}: {decoded!r} is not an IPv6 address", "such as [fe80::1%25eth0]") from error
        if percent and not _HOST_NAME.fullmatch(zone):
            raise _refused(f"{text!r}: {zone!r} is not a network interface", "such as [fe80::1%25eth0]")
    elif decoded.startswith("-"):
        raise _refused(f"{text!r}: a host must not start with a dash")
    elif decoded and not _HOST_NAME.fullmatch(decoded):
        raise _refused(f"{text!r}: {decoded!r} is not a host name", "letters, digits, dots, dashes and underscores")
    return decoded


def _parameters(text: str, query: str) -> list[tuple[str, str]]:
    """Split as libvirt does: at each &, and what is behind the last one at each semicolon. A plus is a plus."""
    *first, last = query.split("&")
    pairs = (part.partition("=") for part in (*first, *last.split(";")) if part)
    parameters = [(_decoded(text, name).lower(), _decoded(text, value)) for name, _, value in pairs]
    for name, value in parameters:
        if name in _NUMBERS and not _WHOLE_NUMBER.fullmatch(value):
            raise _refused(f"{name}={value} in {text!r}: expected 0 or 1", f"{name}=1, or leave it out")
    return parameters


def _refuse_programs(text: str, parameters: list[tuple[str, str]]) -> None:
    for key, value in parameters:
        if key in _RUNS_A_PROGRAM or (key == "proxy" and value.lower() == "netcat"):
            raise _refused(f"parameter {key}={value} in {text!r} runs an arbitrary program", f"remove {key}")


def _check_path(text: str, driver: str, path: str) -> None:
    if driver == "qemu" and path not in ("/system", "/session"):
        message = f"{text!r} has the path {path!r}" if path else f"{text!r} has no path"
        raise _refused(message, "for the system daemon use /system: " + _EXAMPLES)
    if driver == "test" and path in ("", "/"):
        raise _refused(f"{text!r} names no host file", "test:///absolute/path/node.xml, or test:///default")


def _with_warnings(uri: ConnectionUri) -> ConnectionUri:
    warnings = []
    if uri.transport == "tcp":
        warnings.append("tcp is neither encrypted nor authenticated: use ssh or tls except for tests")
    if not uri.verifies_host and uri.transport == "tls":
        warnings.append("no_verify accepts any certificate: remove it from the URI")
    elif not uri.verifies_host and "ssh" in uri.transport:
        warnings.append("no_verify accepts any host key: remove it from the URI")
    if uri.transport in ("libssh", "libssh2") and uri.parameter("known_hosts_verify").lower() in ("ignore", "auto"):
        warnings.append(f"known_hosts_verify={uri.parameter('known_hosts_verify')} accepts any unknown host key")
    return replace(uri, warnings=tuple(warnings)) if warnings else uri
