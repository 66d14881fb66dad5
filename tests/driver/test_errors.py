"""What libvirt and ssh say, in their own words, and what an administrator reads instead."""

from __future__ import annotations

import libvirt
import pytest

from core.codes import ErrorCode
from core.driver.connection.errors import driver_error, explain, unreachable

CHANGED_KEY = """\
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!\r
Someone could be eavesdropping on you right now (man-in-the-middle attack)!\r
Offending ED25519 key in /root/.ssh/known_hosts:1\r
"""
UNTRUSTED = """\
Password authentication is disabled to avoid man-in-the-middle attacks.\r
Keyboard-interactive authentication is disabled to avoid man-in-the-middle attacks.\r
UpdateHostkeys is disabled because the host key is not trusted.\r
"""


def ssh(text: str) -> str:
    """Wrap what an ssh client says as libvirt does."""
    return f"Cannot recv data: {text}: Connection reset by peer"


WORDS = [
    (ssh("ssh: connect to host 10.0.0.1 port 22: Connection refused"), "connection refused", "sshd running"),
    ("unable to connect to server at '127.0.0.1:1': Connection refused", "connection refused", "libvirtd running"),
    (ssh("root@h: Permission denied (publickey)."), "permission denied (publickey)", "authorized_keys"),
    (ssh('Load key "/srv/realms/id_rsa": Permission denied\r\nroot@h: Permission denied (publickey).'),
     "the key file can't be read by this user", "use your own"),
    (ssh("Warning: Identity file /root/.ssh/x not accessible: Permission denied.\r\nroot@h: Permission denied (x)."),
     "the key file can't be read by this user", "usually root"),
    (
        ssh(CHANGED_KEY + UNTRUSTED + "root@h: Permission denied (publickey)."),
        "permission denied (publickey)",
        "authorized_keys",
    ),
    (ssh("Warning: Permanently added 'h' (ED25519) to the list of known hosts.\r\nnc: /x: No such file or directory"),
     "nc: /x: No such file or directory", "libvirtd running there"),
    (ssh("Host key verification failed."), "host key verification failed", "accept the host's key"),
    (ssh(CHANGED_KEY + "Host key verification failed."), "the host's ssh key has changed", "ssh-keygen -R"),
    (ssh("ssh: Could not resolve hostname h.invalid: Name or service not known"),
     "cannot resolve the host's name", "DNS"),
    ("Unable to resolve address 'h' service '16509': Name or service not known", "cannot resolve the host's name",
     "DNS"),
    (ssh("ssh: connect to host 10.0.0.1 port 22: No route to host"), "no route to host", "check that the host is up"),
    (ssh("ssh: connect to host 10.0.0.1 port 22: Connection timed out"), "connection timed out", "firewall"),
    ("Failed to connect socket to '/var/run/libvirt/libvirt-sock': No such file or directory",
     "libvirt's socket does not exist", "systemctl start libvirtd"),
    ("Failed to connect socket to '/var/run/libvirt/libvirt-sock': Permission denied",
     "permission denied on libvirt's socket", "group libvirt"),
    ("authentication unavailable: no polkit agent available to authenticate action 'org.libvirt.unix.manage'",
     "authentication unavailable: no polkit agent available to authenticate action 'org.libvirt.unix.manage'",
     "polkit"),
    ("operation forbidden: read only access prevents virDomainCreate", "the connection is read-only", "read-only"),
    ("internal error: connection closed due to keepalive timeout", "the host stopped answering", "hung"),
    ("packet 1416128879 bytes received from server too large, want 33554432", "what answers is not libvirt", "login"),
    ("Cannot recv data: Value too large for defined data type", "ssh fails and says more than libvirt takes",
     "keyfile"),
    ("Cannot read CA certificate '/etc/pki/CA/cacert.pem': No such file or directory",
     "Cannot read CA certificate '/etc/pki/CA/cacert.pem': No such file or directory", "certificates"),
    ("End of file while reading data: Input/output error", "End of file while reading data: Input/output error",
     "restarted"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message", "hint"), WORDS, ids=[message for _, message, _ in WORDS])
def test_libvirts_words_become_an_administrators(text: str, message: str, hint: str) -> None:
    """What it is, and what probably helps."""
    said, helps = explain(text)
    assert said == message
    assert hint in helps


def test_unknown_words_are_passed_on_in_one_safe_line() -> None:
    """A far side can say anything, also to a terminal."""
    said, helps = explain("first\nsecond \x1b[2J\u202e" + "x" * 5000)
    assert (said.startswith("first second"), "\x1b" in said, "\u202e" in said, len(said) <= 300) == (
        True, False, False, True,
    )  # fmt: skip
    assert helps == ""


def test_no_words_at_all_still_make_a_message() -> None:
    """An empty error would look like a healthy host."""
    assert explain("", "qemu:///system")[0] == "libvirt gave no reason for qemu:///system"


def test_a_lost_host_is_named_with_its_uri() -> None:
    """Host, what, where, and what helps, in one line."""
    error = unreachable("h7", "qemu+ssh://root@h7/system", "connect to host h7 port 22: Connection refused")
    assert str(error) == "h7: connection refused at qemu+ssh://root@h7/system (is libvirtd running there?)"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("internal error: process exited while connecting to monitor: Could not access KVM", ErrorCode.QEMU_EXITED),
        ("Requested operation is not valid: domain is already running", ErrorCode.LIBVIRT_FAILED),
    ],
)
def test_what_is_decided_by_is_a_code(said: str, code: ErrorCode) -> None:
    """Nobody else looks at libvirt's words; the host's name can be left out."""
    error = driver_error(libvirt.libvirtError(said), host="h1", doing="start web")
    assert error.code is code
    assert error.message == f"h1: {error.bare_message}"
