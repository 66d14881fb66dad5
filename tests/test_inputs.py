"""Files that a user names: regular ones and pipes are read within bounds, all else is refused at once."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from core.inputs import STANDARD_INPUT, open_input, open_regular, read_all
from tests.terminal import REALMS

CONFIGURATION = Path(__file__).parent.parent / "sample-configs" / "minimal" / "ticrypt-vm.conf"


def test_a_regular_file_is_read_up_to_its_bound(tmp_path: Path) -> None:
    """One byte more is refused."""
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    with open_input(path) as file:
        assert read_all(file, 5) == b"12345"
    with open_input(path) as file, pytest.raises(OSError, match="larger than"):
        read_all(file, 4)
    with open_regular(path) as file:
        assert file.readline() == b"12345"


@pytest.mark.parametrize("opens", [open_regular, open_input])
@pytest.mark.parametrize(
    ("path", "what"), [("/dev/zero", "it is a device"), ("/dev/null", "it is a device"), (".", "it is a folder")]
)
def test_what_is_no_file_is_refused_with_what_it_is(opens: object, path: str, what: str) -> None:
    """Nothing of it is read."""
    assert callable(opens)
    with pytest.raises(OSError, match=what):
        opens(Path(path))


def test_a_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    """Line by line, whenever they come; one larger than its bound is refused."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(OSError, match="it is a pipe, not a regular file"):
        open_regular(path)
    writer = threading.Thread(target=lambda: path.write_bytes(b"one\ntwo\n" * 10_000))
    writer.start()
    with open_input(path) as file:
        assert file.readline() == b"one\n"
        assert len(read_all(file, 80_000)) == 79_996
    writer.join()


def test_a_pipe_without_a_writer_is_given_up(tmp_path: Path) -> None:
    """After its deadline, with words for it."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with (
        open_input(path, deadline=0.05) as file,
        pytest.raises(TimeoutError, match=r"no end of it within 0\.05 seconds"),
    ):
        file.read()


def test_a_pipe_that_never_ends_is_given_up(tmp_path: Path) -> None:
    """The deadline is for all of it, however often something comes."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    moments = iter(range(1000))
    with open_input(path, deadline=5, clock=lambda: next(moments)) as file:
        writer = os.open(path, os.O_WRONLY)
        for _ in range(4):
            os.write(writer, b"x")
            assert file.read1(1) == b"x"
        os.write(writer, b"x")
        with pytest.raises(TimeoutError):
            file.read1(1)
        os.close(writer)


def test_a_terminal_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody types JSON."""
    master, slave = os.openpty()
    with os.fdopen(slave, "r") as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        with pytest.raises(OSError, match="standard input is a terminal"):
            open_input(STANDARD_INPUT)
    os.close(master)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--fleet", "/dev/zero", "hosts", "list"], "it is a device"),
        (["--fleet", "/proc/self/mem", "hosts", "list"], "/proc/self/mem can't be read: Input/output error"),
        (["replay", "/dev/zero", "--as-logged"], "it is a device"),
        (["replay", "/proc/self/mem", "--as-logged"], "/proc/self/mem can't be read: Input/output error"),
        (["registry", "import", "/dev/zero"], "it is a device"),
        (["check", "/dev/zero"], "it is a device"),
    ],
)
def test_commands_refuse_what_is_no_file(tmp_path: Path, arguments: list[str], what: str) -> None:
    """In one line that names it; a read that fails is told like one that can't begin."""
    options = ["--registry", str(tmp_path / "registry.json"), "--config", str(CONFIGURATION)]
    run = subprocess.run([REALMS, *options, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode in (1, 2)
    assert what in run.stderr + run.stdout
    assert "unexpected" not in run.stderr


def test_a_fleet_comes_through_a_pipe(tmp_path: Path) -> None:
    """`realms fleet save - | realms --fleet - hosts list`, as far as fleets are concerned."""
    fleet = b'{"format": "libvirt-realms-fleet/1", "hosts": [], "vms": []}'
    options = ["--registry", str(tmp_path / "registry.json"), "--config", str(CONFIGURATION)]
    command = [REALMS, *options, "--fleet", "-", "hosts", "list", "--json"]
    run = subprocess.run(command, input=fleet, capture_output=True, timeout=60, check=False)
    assert (run.returncode, run.stderr) == (0, b"")
