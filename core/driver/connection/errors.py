"""Libvirt's errors, translated at the edge: what happened, where, and how to fix it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import libvirt

from core.codes import ErrorCode
from core.driver.connection.qemu_words import qemu_words
from core.errors import DriverError, HostTimeout, HostUnreachable
from core.text import one_line, shell_command


@dataclass(frozen=True, slots=True)
class _Mend:
    """A pattern of libvirt's or ssh's words, what to say instead (empty: their own words), and what helps."""

    pattern: re.Pattern[str]
    says: str
    hint: str


def _mend(pattern: str, says: str, hint: str) -> _Mend:
    return _Mend(re.compile(pattern, re.IGNORECASE | re.DOTALL), says, hint)


_POLKIT = "polkit denies it: connect as root, or join the group libvirt on the host"

# The first that fits counts. ssh's own words come inside libvirt's: "Cannot recv data: ...: Connection reset by peer".
_MENDS = (
    _mend(r"identification has changed.*host key verification failed", "the host's ssh key has changed",
          "if the host was reinstalled, remove its old key: ssh-keygen -R HOST; otherwise suspect a man in the middle"),
    _mend(r"host key verification failed", "host key verification failed",
          "accept the host's key once with ssh; after a reinstallation remove the old one: ssh-keygen -R HOST"),
    _mend(r'load key "[^"\n]*": permission denied|identity file [^\n]* not accessible: permission denied',
          "the key file can't be read by this user",
          "run as the owner of the key, usually root, or use your own key: ?keyfile=PATH in the URI"),
    _mend(r"(?P<what>permission denied \([^)]*\))", "{what}",
          "is the service's public key in /root/.ssh/authorized_keys on the host?"),
    _mend(r"too many authentication failures", "ssh: too many authentication failures",
          "the ssh agent offers too many keys: choose one with ?keyfile="),
    _mend(r"(identity file|keyfile).*(no such file|not accessible)", "", "check keyfile= in the URI"),
    _mend(r"could not resolve hostname|unable to resolve address|name or service not known|temporary failure in name",
          "cannot resolve the host's name", "check the name in the URI, and DNS"),
    _mend(r"no route to host", "no route to host", "check that the host is up and the network is working"),
    _mend(r"network is unreachable", "network is unreachable", "check this machine's own network and routes"),
    _mend(r"connection refused", "connection refused", "REFUSED"),
    _mend(r"connection timed out|operation timed out", "connection timed out",
          "is the host up, and does a firewall drop packets?"),
    _mend(r"connection closed due to keepalive timeout|keepalive", "the host stopped answering",
          "is it hung or cut off? See journalctl -u libvirtd on the host"),
    _mend(r"(virt-ssh-helper|nc|netcat|sh): .*not found", "",
          "libvirt's client tools are missing on the host: install libvirt there"),
    _mend(r"failed to connect socket to .*permission denied", "permission denied on libvirt's socket",
          "run as root, or as a member of the group libvirt"),
    _mend(r"failed to connect socket to .*(no such file|refused)", "libvirt's socket does not exist",
          "is libvirtd running? systemctl start libvirtd"),
    _mend(r"no polkit agent|polkit|authentication (unavailable|failed|cancelled)|access denied", "",
          _POLKIT),
    _mend(r"bytes received from server too large|bad packet|invalid.*protocol", "what answers is not libvirt",
          "does a login message interfere? ssh USER@HOST true must print nothing"),
    _mend(r"value too large for defined data type", "ssh fails and says more than libvirt takes",
          "run ssh USER@HOST true and check that the URI's keyfile= exists"),
    _mend(r"nc: .*no such file", "", "is libvirtd running there, and socket= of the URI right?"),
    _mend(r"certificate", "", "check the certificates of this machine and of the host (libvirt: TLS)"),
    _mend(r"cannot write data: broken pipe|end of file while reading data|connection reset|hook-up|cannot recv data",
          "", "was libvirtd or sshd restarted there?"),
)  # fmt: skip

_TIMED_OUT = frozenset({
    libvirt.VIR_ERR_OPERATION_TIMEOUT,
    libvirt.VIR_ERR_AGENT_UNRESPONSIVE,
})  # fmt: skip


_SSH_NOISE = re.compile(
    r"@{20,}.*(?:host key is not trusted|man-in-the-middle attacks)\.\s*|Warning: Permanently added [^\n]*\n", re.DOTALL
)
"""What ssh says at length before what counts, where the URI has no_verify=1."""

_WRAPPED = re.compile(
    r"(?:cannot recv data|end of file while reading data): (?P<core>.*?)"
    r"(?:: (?:connection reset by peer|input/output error))?",
    re.IGNORECASE | re.DOTALL,
)
"""Words of the ssh client or of the far side, as libvirt wraps them."""


def _unwrapped(text: str) -> str:
    if "host key verification failed" not in text.lower():
        text = _SSH_NOISE.sub("", text)
    match = _WRAPPED.fullmatch(text.strip())
    core = match["core"].strip() if match is not None else ""
    return core if core.lower() not in {"", "connection reset by peer", "input/output error"} else text


def explain(text: str, uri: str = "") -> tuple[str, str]:
    """Turn libvirt's words into a message for an operator, and a hint, which may be empty."""
    text = _unwrapped(text)
    for mend in _MENDS:
        match = mend.pattern.search(text)
        if match is not None:
            groups = {name: value.lower() for name, value in match.groupdict().items()}
            message = mend.says.format(**groups) if mend.says else one_line(text)
            return message, _refused_hint(text) if mend.hint == "REFUSED" else mend.hint
    return one_line(text) or f"libvirt gave no reason{f' for {uri}' if uri else ''}", ""


def _refused_hint(text: str) -> str:
    return "is sshd running there, on that port?" if "ssh:" in text else "is libvirtd running there?"


def unreachable(host: str, uri: str, text: str) -> HostUnreachable:
    """Return why no connection could be opened, or why one was lost."""
    message, hint = explain(text, uri)
    return HostUnreachable(host, f"{message} at {one_line(uri)}" if uri else message, hint=hint)


_LIVE_HINTS = {
    libvirt.VIR_ERR_OPERATION_DENIED: "is the connection read-only? Check the URI for socket=",
    libvirt.VIR_ERR_ACCESS_DENIED: _POLKIT,
    libvirt.VIR_ERR_AUTH_UNAVAILABLE: _POLKIT,
    libvirt.VIR_ERR_AUTH_FAILED: _POLKIT,
    libvirt.VIR_ERR_AUTH_CANCELLED: _POLKIT,
}
"""What helps where a call on a live connection failed, by libvirt's code alone: its words quote QEMU, names, paths."""

_PEER = re.compile(r"failed to connect to remote libvirt URI \S+: (?P<words>.*)", re.IGNORECASE | re.DOTALL)
"""How a source reports that it can't open its own connection to the target of a migration."""

_LOCKED_IMAGE = re.compile(r'Failed to get (?:shared )?"[^"]+" lock.*?\[(?P<path>[^\]\n]+)\]', re.DOTALL)


def driver_error(error: libvirt.libvirtError, *, host: str, doing: str) -> DriverError:
    """Translate what libvirt said to a call on a live connection: in its own words, or QEMU's where it quotes them."""
    text = str(error)
    if error.get_error_code() in _TIMED_OUT:
        return HostTimeout(host, f"{doing}: {one_line(text)}", hint="its outcome is unknown: check again")
    exited, said = "process exited" in text, qemu_words(text)
    message, hint = _live_words(error, text, said)
    failure = DriverError(host, f"{doing}: {message}", hint=hint)
    if exited:
        failure.code = ErrorCode.QEMU_EXITED
    return failure


def _live_words(error: libvirt.libvirtError, text: str, said: str | None) -> tuple[str, str]:
    if error.get_error_domain() == libvirt.VIR_FROM_RPC:  # of the connection itself, which has just been lost
        return explain(text)
    peer = _PEER.search(text) if error.get_error_code() == libvirt.VIR_ERR_OPERATION_FAILED else None
    if peer is not None:
        return one_line(text), explain(peer["words"])[1]
    if said == "":
        return "QEMU exited", "the reason is in /var/log/libvirt/qemu/VM.log on the host"
    if said is not None:
        locked = _LOCKED_IMAGE.search(said)
        finds = shell_command("fuser -v", locked["path"]) if locked else ""
        return f"QEMU: {one_line(said)}", f"find the process, on each host that has the image: {finds}" if finds else ""
    words = one_line(text.removeprefix("internal error: ")) or "libvirt gave no reason"
    return words, _LIVE_HINTS.get(error.get_error_code(), "")


def says_no_space(error: libvirt.libvirtError) -> bool:
    """Return whether a file system is full."""
    return "No space left on device" in str(error)


def says_exists(error: libvirt.libvirtError) -> bool:
    """Return whether a name is taken, where libvirt has no code for it: to libvirt 9 a copy's is an internal error."""
    return any(words in str(error) for words in ("already exists", "already in use"))


def says_busy(error: libvirt.libvirtError) -> bool:
    """Return whether libvirt can't look into a pool because a volume is being made there."""
    return "asynchronous jobs running" in str(error)


def says_being_made(error: libvirt.libvirtError) -> bool:
    """Return whether a volume is still being made, or copied."""
    return any(words in str(error) for words in ("still being allocated", "still in use"))


def says_unplugging(error: libvirt.libvirtError) -> bool:
    """Return whether the guest was already asked to release a device."""
    return "in the process of unplug" in str(error)


_PROGRAM_SAID = re.compile(r"Child process \(.*?\) unexpected [a-z ]+\d+: (?:qemu-img: )?(?P<words>.*)", re.DOTALL)


def said_by_program(error: libvirt.libvirtError) -> str:
    """Return what a program said that libvirt ran, without its whole command line; empty where none said anything."""
    said = _PROGRAM_SAID.search(str(error))
    return one_line(said["words"]) if said is not None else ""


def is_gone(error: libvirt.libvirtError) -> bool:
    """Return whether a call failed because its domain exists no more."""
    return bool(error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN)


@contextmanager
def translated(host: str, doing: str) -> Iterator[None]:
    """Turn libvirt's errors in a block into DriverError, saying what was being done."""
    try:
        yield
    except libvirt.libvirtError as error:
        raise driver_error(error, host=host, doing=doing) from error
