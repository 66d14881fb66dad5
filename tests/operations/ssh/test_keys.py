"""`realms keys`, as one types it, without a host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.program import runner

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.program import Outcome


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Return a function that runs a command with a home of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("REALMS_TRACEBACK", "1")
    monkeypatch.delenv("REALMS_CONFIG", raising=False)
    return runner(monkeypatch, capsys)


def test_a_key_is_made_where_ssh_looks_and_for_its_owner_alone(run: Callable[..., Outcome], tmp_path: Path) -> None:
    """RSA with 2048 bits; it needs neither configuration nor registry."""
    made = run("keys", "make")
    assert (made.code, made.err) == (0, "")
    private = tmp_path / ".ssh/id_rsa"
    assert f"{private}: RSA 2048, SHA256:" in made.out
    assert "realms keys install HOST" in made.out
    assert "keyfile=" not in made.out
    assert [private.stat().st_mode & 0o777, private.parent.stat().st_mode & 0o777] == [0o600, 0o700]
    assert private.read_text().startswith("-----BEGIN OPENSSH PRIVATE KEY-----")


def test_a_key_that_exists_is_never_overwritten(run: Callable[..., Outcome], tmp_path: Path) -> None:
    """Nor one half of it, nor what a dangling link stands for."""
    (tmp_path / "half.pub").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("half", "link"):
        refused = run("keys", "make", "--file", tmp_path / name, "--type", "ed25519")
        assert (refused.code, "already exists" in refused.err) == (2, True)
    assert (tmp_path / "half.pub").read_text() == "mine"
    assert not (tmp_path / "half").exists()
    assert not (tmp_path / "nowhere").exists()


def test_a_key_is_shown_as_the_line_for_the_hosts(run: Callable[..., Outcome], tmp_path: Path) -> None:
    """That alone on standard output; by its public half too, and where that is lost."""
    file = tmp_path / "a b" / "key"
    run("keys", "make", "--file", file, "--type", "ed25519")
    line = file.with_name("key.pub").read_text().strip()
    shown = run("keys", "show", "--file", file)
    assert (shown.code, shown.out) == (0, line + "\n")
    assert "keyfile=" in shown.err
    assert "a%20b/key" in shown.err
    document = run("keys", "show", "--json", "--file", f"{file}.pub").json
    assert document["line"] == line
    assert (document["file"], document["type"], document["bits"], document["default"]) == (
        str(file), "ed25519", 256, False,
    )  # fmt: skip
    file.with_name("key.pub").unlink()
    assert run("keys", "show", "--file", file).out.split()[:2] == line.split()[:2]


@pytest.mark.parametrize(
    "text",
    [
        "", "no key", "ssh-rsa AAAA", "ssh-ed25519 AAAAC3NzaC1yc2EAAAADAQAB evil",
        'command="rm -rf /" ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB', "ssh-rsa AAAA\nssh-rsa BBBB",
    ],
)  # fmt: skip
def test_what_is_no_public_key_is_not_taken_for_one(run: Callable[..., Outcome], tmp_path: Path, text: str) -> None:
    """What stands in authorized_keys decides who gets in."""
    (tmp_path / "key.pub").write_text(text)
    refused = run("keys", "show", "--file", "key")
    assert (refused.code, refused.out) == (2, "")


def test_a_missing_key_says_how_to_make_one(run: Callable[..., Outcome]) -> None:
    """Exit code 2: a file can't be read."""
    missing = run("keys", "show")
    assert (missing.code, "realms keys make" in missing.err) == (2, True)


@pytest.mark.parametrize("flag", [["--read-only"], ["--fleet", "x.json"]])
@pytest.mark.parametrize("command", [["make"], ["install", "qemu+ssh://root@h1/system"]])
def test_nothing_is_made_or_installed_where_nothing_may_change(
    run: Callable[..., Outcome], tmp_path: Path, command: list[str], flag: list[str]
) -> None:
    """A saved fleet and a read-only program refuse before they do anything."""
    refused = run("keys", *command, *flag)
    assert (refused.code, f"leave out {flag[0]}" in refused.err) == (2, True)
    assert not (tmp_path / ".ssh").exists()


def test_a_host_that_is_not_reached_by_ssh_needs_no_key(run: Callable[..., Outcome]) -> None:
    """Wrong usage, before anything is asked."""
    run("keys", "make")
    refused = run("keys", "install", "qemu:///system")
    assert (refused.code, "qemu+ssh" in refused.err) == (2, True)
