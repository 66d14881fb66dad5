"""What libvirt and ssh say, in their own words, and what an administrator reads instead."""

from __future__ import annotations

import json

import libvirt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.codes import ErrorCode
from core.driver.connection.errors import driver_error, explain, unreachable
from core.driver.connection.qemu_words import qemu_words

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


EXITED = "internal error: process exited while connecting to monitor: "
QEMU = "2026-11-30T10:00:00.123456Z qemu-system-x86_64: "
FILE = '-blockdev {"driver":"file","filename":"/p/a.qcow2","auto-read-only":true}: '
FORMAT = '-blockdev {"node-name":"n","read-only":false,"driver":"qcow2"}: '
CONNECTION = ("socket=", "mode=", "read-only", "libvirtd", "blockdev {", "internal error", "2026-", "qemu-system")


def live(text: str, code: int = libvirt.VIR_ERR_INTERNAL_ERROR, domain: int = libvirt.VIR_FROM_QEMU) -> str:
    """Return what an administrator reads of an error on a live connection."""
    error = libvirt.libvirtError(text)
    error.err = (code, domain, text, 2, "", "", "", -1, -1)
    return str(driver_error(error, host="h1", doing="start web"))


@pytest.mark.parametrize(
    ("text", "holds", "lacks"),
    [
        (EXITED + QEMU[28:] + FILE + "Could not open '/p/a.qcow2': No such file or directory",
         ("QEMU: Could not open '/p/a.qcow2': No such file or directory",), CONNECTION),
        (EXITED + QEMU + FILE + "Could not open '/p/a.qcow2': Permission denied", ("'/p/a.qcow2': Permission denied",),
         (*CONNECTION, "authorized_keys")),
        (EXITED + QEMU + FORMAT + 'Failed to get "write" lock\nIs another process using the image [/p/b c.qcow2]?',
         ('Failed to get "write" lock', "[/p/b c.qcow2]", "fuser -v '/p/b c.qcow2'"), CONNECTION),
        (EXITED + "/usr/libexec/qemu-kvm: " + FORMAT + 'Failed to get shared "write" lock. '
         "Is another process using the image [/p/b.qcow2]?", ("fuser -v /p/b.qcow2",), (*CONNECTION, "qemu-kvm")),
        ("internal error: QEMU unexpectedly closed the monitor (vm='polkit-1'): " + QEMU
         + "warning: host doesn't support requested feature: CPUID[eax=07h]\n" + QEMU
         + '-device {"driver":"vfio-pci","host":"0000:41:00.0"}: vfio 0000:41:00.0: group 5 is not viable\n'
         "Please ensure all devices within the iommu_group are bound.",
         ("QEMU: vfio 0000:41:00.0: group 5 is not viable Please ensure",), (*CONNECTION, "polkit", "warning")),
        (EXITED + QEMU + "-machine pc-q35-9.9,usb=off: unsupported machine type", ("pc-q35-9.9", "unsupported"),
         CONNECTION),
        (EXITED + QEMU + "warning: something is deprecated", ("QEMU: warning: something is deprecated",), CONNECTION),
        (EXITED + QEMU + '-blockdev {"driver":"rbd","pool":"a","server":[{"host":"10.0.0.1"},{"ho',
         ("QEMU exited", "/var/log/libvirt/qemu/"), CONNECTION),
        (EXITED + "Could not access KVM kernel module: Permission denied", ("process exited", "Permission denied"),
         (*CONNECTION, "authorized_keys")),
        (("internal error: unable to execute QEMU command 'blockdev-add': Failed to connect to '10.0.0.9:10809': "
         "Connection refused"), ("10.0.0.9:10809", "Connection refused"), (*CONNECTION, "sshd")),
        ("internal error: unable to execute QEMU command 'object-add': Unable to load certificate '/pki/x.pem'",
         ("/pki/x.pem",), (*CONNECTION, "check the certificates")),
        (("internal error: unable to execute QEMU command 'chardev-add': address resolution failed for log.invalid:9: "
         "Name or service not known"), ("log.invalid:9",), (*CONNECTION, "DNS")),
    ],
)  # fmt: skip
def test_words_of_qemu_stay_as_they_are(text: str, holds: tuple[str, ...], lacks: tuple[str, ...]) -> None:
    """They say what fails in the VM; nothing in them is about the connection to the host."""
    read = live(text)
    assert [word for word in holds if word not in read] == []
    assert [word for word in lacks if word in read] == []


@pytest.mark.parametrize(
    ("code", "text", "hint"),
    [
        ("OPERATION_FAILED", "operation failed: domain 'pg-read-only-1' already exists with uuid x", ""),
        ("NO_DOMAIN", "Domain not found: no domain with matching name 'keepalive certificate polkit'", ""),
        ("SYSTEM_ERROR", "cannot open file '/p/host key verification failed': Connection refused", ""),
        ("OPERATION_DENIED", "operation forbidden: read only access prevents virDomainCreate", "socket="),
        ("ACCESS_DENIED", "access denied: 'domain' denied access", "polkit"),
        ("AUTH_UNAVAILABLE", "authentication unavailable: no agent", "polkit"),
        ("OPERATION_FAILED", ("operation failed: Failed to connect to remote libvirt URI qemu+ssh://h2/system: "
         "Cannot recv data: Host key verification failed.: Connection reset by peer"), "accept the host's key"),
    ],
)  # fmt: skip
def test_advice_on_a_live_connection_comes_from_libvirts_code(code: str, text: str, hint: str) -> None:
    """Names and paths inside the words decide nothing."""
    read = live(text, getattr(libvirt, f"VIR_ERR_{code}"))
    assert read.startswith(f"h1: start web: {text}")
    assert hint in read
    assert bool(hint) == read.endswith(")")


def test_a_connection_lost_in_a_call_is_explained_as_one() -> None:
    """Those words are of libvirt's own transport."""
    read = live("Cannot recv data: Connection reset by peer", libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_FROM_RPC)
    assert "was libvirtd or sshd restarted there?" in read


JSON = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


@given(st.dictionaries(st.text(), JSON), st.text("abc'/:{}[]. ", min_size=1).map(lambda text: f"x{text}x"))
def test_any_json_argument_is_left_out_and_the_reason_kept(argument: dict[str, object], reason: str) -> None:
    """Braces, quotes and colons in either don't matter."""
    said = qemu_words(f"{EXITED}{QEMU}-blockdev {json.dumps(argument)}: {reason}")
    assert said == reason
