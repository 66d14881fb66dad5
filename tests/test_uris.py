"""Which connection URIs are accepted, and why others are not (specification, section 7)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import HostRefused
from core.uris import parse_uri


@pytest.mark.parametrize(
    ("text", "transport", "host"),
    [
        ("qemu:///system", "", ""),
        ("qemu:///session", "", ""),
        ("qemu+unix:///system?socket=/run/other/libvirt-sock", "unix", ""),
        ("qemu+ssh://h1/system", "ssh", "h1"),
        ("qemu+ssh://root@h1.example.org:2222/system", "ssh", "h1.example.org"),
        ("qemu+ssh://root@[2001:db8::1]/system?keyfile=/root/.ssh/id_rsa&no_verify=1", "ssh", "2001:db8::1"),
        ("qemu+libssh2://root@h1/system", "libssh2", "h1"),
        ("qemu+libssh://root@h1/system", "libssh", "h1"),
        ("qemu+tls://h1/system", "tls", "h1"),
        ("qemu://h1/system", "tls", "h1"),
        ("test:///default", "", ""),
        ("test:///var/tmp/node.xml", "", ""),
    ],
)
def test_known_drivers_and_transports_are_accepted(text: str, transport: str, host: str) -> None:
    """A host and no transport means TLS, as libvirt has it."""
    uri = parse_uri(text)
    assert (uri.transport, uri.host, uri.text) == (transport, host, text)
    assert uri.is_local == (not host)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "not a libvirt URI"),
        ("h1", "driver"),
        ("qemu", "driver"),
        ("qmeu:///system", "qemu"),
        ("xen:///system", "driver"),
        ("qemu+shh://h1/system", "ssh"),
        ("qemu+://h1/system", "transport"),
        ("qemu+ssh:///system", "no host"),
        ("qemu+ssh://h1", "/system"),
        ("qemu+ssh://h1/sytem", "/system"),
        ("qemu:///", "/system"),
        ("qemu+ssh://h1:99999/system", "port 99999"),
        ("qemu+ssh://h1:0/system", "port"),
        ("qemu+ssh://root:secret@h1/system", "password"),
        ("qemu+ssh://h1/system#x", "fragment"),
        ("qemu+ssh://h 1/system", "not a libvirt URI"),
        ("qemu+ssh://h1/system\n", "not a libvirt URI"),
        ("qemu+ssh://h1/sys\x1btem", "not a libvirt URI"),
        ("qemu+ssh://-oProxyCommand=x/system", "dash"),
        ("qemu+ssh://-oProxyCommand=x@h1/system", "dash"),
        ("qemu+ssh://h1/system?command=/tmp/x", "runs an arbitrary program"),
        ("qemu+ssh://h1/system?COMMAND=/tmp/x", "runs an arbitrary program"),
        ("qemu+ssh://h1/system?netcat=/tmp/nc", "runs an arbitrary program"),
        ("qemu+ssh://h1/system?proxy=netcat", "runs an arbitrary program"),
        ("qemu+ssh://h1/system?no_verify=1;netcat=/tmp/nc", "runs an arbitrary program"),
        ("qemu+ext:///system?command=/tmp/x", "transport"),
        ("qemu+ssh://h1/system?comm%61nd=/tmp/x", "runs an arbitrary program"),
        ("qemu+ssh://%2DoProxyCommand=x/system", "dash"),
        ("qemu+ssh://@h1/system", "user"),
        ("qemu+ssh://h1:/system", "not a libvirt URI"),
        ("qemu+ssh://h%zz/system", "not a libvirt URI"),
        ("qemu+ssh://b\u00fccher/system", "percent-encoded"),
        ("qemu+ssh://h1/system?keyfile=/a%00b", "unprintable"),
        ("qemu+ssh://h1%0A/system", "unprintable"),
        ("qemu+ssh://$(x)/system", "not a host name"),
        ("qemu+ssh://h%20b/system", "not a host name"),
        ("qemu+ssh://h;b/system", "not a host name"),
        ("qemu+ssh://[h1]/system", "IPv6"),
        ("qemu+ssh://[fe80::1%25]/system", "network interface"),
        ("qemu+ssh://h1/system?no_verify=true", "expected 0 or 1"),
        ("qemu+ssh://h1/system?no_verify", "expected 0 or 1"),
        ("test://", "file"),
        ("test:///", "file"),
    ],
)
def test_other_uris_are_refused_with_the_part_that_is_wrong(text: str, word: str) -> None:
    """The message or the hint names what to look at."""
    with pytest.raises(HostRefused) as refusal:
        parse_uri(text)
    assert word in str(refusal.value)


def test_tcp_is_accepted_with_a_warning() -> None:
    """It is neither encrypted nor authenticated."""
    assert "ssh" in parse_uri("qemu+tcp://h1/system").warnings[0]


@pytest.mark.parametrize(
    "text",
    [
        "qemu+ssh://h1/system?no_verify=1",
        "qemu+ssh://h1/system?NO_VERIFY=1",
        "qemu+ssh://h1/system?no_verify=2",
        "qemu+ssh://h1/system?no%5fverify=-1",
        "qemu+libssh2://h1/system?no_verify=1",
        "qemu+tls://h1/system?No_Verify=3",
        "qemu://h1/system?no_verify=1",
        "qemu+libssh://h1/system?known_hosts_verify=ignore",
        "qemu+libssh://h1/system?KNOWN_HOSTS_VERIFY=Auto",
    ],
)
def test_a_host_that_need_not_prove_who_it_is_is_warned_of(text: str) -> None:
    """However libvirt lets it be written."""
    assert "accepts any" in parse_uri(text).warnings[0]
    assert parse_uri("qemu+ssh://h1/system?no_verify=00").warnings == ()


PIECES = (
    "qemu",
    "test",
    "+ssh",
    "+tcp",
    "://",
    "h1",
    ":22",
    "@",
    "/system",
    "?",
    "command=",
    "[",
    "]",
    "%",
    "#",
    "\x1b",
    "\u0663",
)


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=10).map("".join))
def test_what_is_accepted_runs_no_program_and_nothing_else_is_raised(text: str) -> None:
    """Any other exception fails the test."""
    try:
        uri = parse_uri(text)
    except HostRefused:
        return
    assert uri.text.isprintable()
    assert "command=" not in uri.text.partition("?")[2]
