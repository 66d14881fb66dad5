"""Commands on VMs while a host of the realm hangs: as patient as they were told to be."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.terminal import REALMS, terminal

from .parts.guests import Boot
from .parts.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .parts.lab import Lab

PATIENCE = 6
LOAD = 6.0
"""Seconds that programs may take to start and connect on a busy machine."""


@pytest.fixture
def sick(lab: Lab, places: dict[str, str]) -> Iterator[Lab]:
    """Return a realm with a VM that is off, and a host that hangs."""
    lab.hosts[0].define_guest("web", boot=Boot.BRICK, network=None)
    lab.hosts[2].hang()
    yield lab
    lab.hosts[2].wake()


@pytest.mark.parametrize(
    ("words", "looks", "said"),
    [
        (("start", "web"), 2, "cannot check whether web is running on h3"),
        (("delete", "web", "--volumes"), 2, "in use; not asked: h3"),
        (("migrate", "web", "--to", "h3", "--check"), 2, "h3"),
        (("attach-drive", "web", "nothing"), 1, "no drive 'nothing'"),
        (("off", "h1/web"), 0, "h1/web: no changes (shut off)"),
    ],
)
def test_a_silent_host_is_waited_for_as_long_as_was_said(
    sick: Lab, places: dict[str, str], words: tuple[str, ...], looks: int, said: str
) -> None:
    """Once while the VM is looked for, unless its host was named, and once where each host has to be asked."""
    began = time.monotonic()
    command = [str(REALMS), "vms", *words, "--foreign", "--timeout", str(PATIENCE)]
    ended = subprocess.run(
        command, env={**os.environ, **places}, capture_output=True, text=True, check=False, timeout=120
    )
    assert said in ended.stdout + ended.stderr
    assert time.monotonic() - began < looks * PATIENCE + LOAD


@pytest.mark.parametrize("words", [("pools", "status"), ("drives", "list")])
def test_ctrl_c_ends_what_only_reads_at_once(
    sick: Lab, places: dict[str, str], tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Whatever host it waits for: there is nothing to undo."""
    with terminal(tmp_path, *words, "--timeout", "60", environment=places) as pane:
        eventually(
            lambda: sick.hosts[2].run("sh", "-c", "pgrep -f '[n]otty' || true"), "a session on the host that hangs"
        )
        began = time.monotonic()
        pane.press("C-c")
        pane.wait_for("realms: interrupted")
        assert pane.wait_for_end() == 1
        assert time.monotonic() - began < LOAD / 2
