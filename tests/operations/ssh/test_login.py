"""The ssh program as libvirt runs it, and what its words mean."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from core.clock import SystemClock
from core.operations.doctor.ssh import check_host_key, check_keys, check_login
from core.operations.findings import Checkup
from core.operations.ssh.keys import KeyType, make_key
from core.operations.ssh.login import SshTarget, log_in
from core.operations.ssh.messages import explain
from core.uris import parse_uri
from tests.driver.silence import refused_port

AT = Checkup("h1")


def target(uri: str) -> SshTarget:
    """Read a URI of ssh."""
    found = SshTarget.of(parse_uri(uri))
    assert found is not None
    return found


def test_a_uri_becomes_the_login_that_libvirt_makes() -> None:
    """User, port, key, and whether the host is verified; other transports have none."""
    full = target("qemu+ssh://ad%6din@h1:2222/system?keyfile=/k%20y&no_verify=1")
    assert full == SshTarget("h1", "admin", 2222, Path("/k y"), verifies_host=False)
    assert full.arguments() == ["-i", "/k y", "-p", "2222", "-l", "admin", "-o", "StrictHostKeyChecking=no", "--", "h1"]
    assert (full.login, full.known_name) == ("-p 2222 admin@h1", "[h1]:2222")
    plain = target("qemu+ssh://h1/system?no_verify=0")
    assert (plain.arguments(), plain.login, plain.known_name) == (["--", "h1"], "h1", "h1")
    for other in ("qemu:///system", "qemu+tls://h1/system", "qemu+libssh://h1/system", "test:///default"):
        assert SshTarget.of(parse_uri(other)) is None


@pytest.mark.parametrize(
    ("said", "what", "mend"),
    [
        ("@ REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.", "changed",
         "ssh-keygen -R h1"),
        ("@ REMOTE HOST IDENTIFICATION HAS CHANGED! @\nPermission denied (publickey).", "none of the keys",
         "realms keys install 'my host'"),
        ("No ED25519 host key is known.\nHost key verification failed.", "host key unknown", "ssh root@h1, compare"),
        ("ssh: Could not resolve hostname h1: Name or service not known", "cannot resolve h1", "DNS"),
        ("ssh: connect to host h1 port 22: Connection refused", "nothing listens on h1 port 22", "sshd"),
        ("kex_exchange_identification:\n  strange \x1b[31m words", "ssh: strange", "ssh root@h1"),
        ('Load key "/srv/id_rsa": Permission denied\nroot@h1: Permission denied (publickey).',
         "can't be read by this user", "use your own"),
        ("Warning: Identity file /x not accessible: Permission denied.\nPermission denied (publickey).",
         "can't be read by this user", "usually root"),
        ("", "failed without a message", "ssh root@h1"),
    ],
)  # fmt: skip
def test_what_ssh_says_is_explained(said: str, what: str, mend: str) -> None:
    """With the command that mends it, ready to paste."""
    found, how, _ = explain(said, "my host", target("qemu+ssh://root@h1/system"))
    assert what in found
    assert mend in how
    assert "\x1b" not in found


def test_a_refused_login_is_an_error_that_libvirt_need_not_repeat() -> None:
    """The program itself is run; it must not ask anything."""
    (found,) = check_login(AT, target(f"qemu+ssh://root@127.0.0.1:{refused_port()}/system"), 20.0, SystemClock())
    assert (found.severity.value, found.check) == ("error", "login")
    assert "nothing listens on 127.0.0.1" in found.what


def test_a_silent_login_ends_in_time() -> None:
    """Whoever accepts and says nothing is not waited for."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        outcome = log_in(target(f"qemu+ssh://root@127.0.0.1:{server.getsockname()[1]}/system"), "true", 1.0)
    assert outcome.code in (None, 255)


def test_a_host_key_that_nobody_has_seen_is_told(tmp_path: Path) -> None:
    """Before anyone is asked; no_verify=1 is a warning with the URI that has none."""
    (unknown,) = check_host_key(AT, target("qemu+ssh://root@nobody-was-here.invalid/system"), "")
    assert unknown.severity.value == "error"
    uri = "qemu+ssh://root@h1/system?no_verify=1&keyfile=/k"
    (careless,) = check_host_key(AT, target(uri), uri)
    assert careless.severity.value == "warning"
    assert careless.mend.endswith("--uri 'qemu+ssh://root@h1/system?keyfile=/k'")


def test_keys_are_checked_once_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Good, missing, readable by others, none at all."""
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    good = make_key(tmp_path / "good", KeyType.ED25519).private
    loose = make_key(tmp_path / "loose", KeyType.ED25519).private
    loose.chmod(0o644)
    (tmp_path / "text").write_text("no key")
    (tmp_path / "text").chmod(0o600)
    names = [good, good, loose, tmp_path / "none", tmp_path / "text"]
    found = list(check_keys([SshTarget("h1", keyfile=name) for name in names] + [SshTarget("h2", keyfile=good)]))
    told = [(each.severity.value, each.what) for each in found if each.check == "ssh key"]
    assert ("ok", f"{good}: ED25519") in told
    assert [severity for severity, _ in told] == ["ok", "error", "error", "error"]
    assert f"{loose} can be read by others: ssh refuses it" in told[1][1]
    assert "no such file" in told[2][1]
    assert "is not an ssh key" in told[3][1]
