"""`realms check` and `realms show`, run as programs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.config.reader import read

TESTS = Path(__file__).parent.parent
EXAMPLES = TESTS / "data" / "examples"
SAMPLES = TESTS.parent / "sample-configs"
POOLS = EXAMPLES / "valid" / "v06-pools-includes" / "ticrypt-vm.conf"
WRONG = EXAMPLES / "invalid" / "i106-include-mistake-inside" / "ticrypt-vm.conf"


def realms(*arguments: str | Path, folder: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program in a folder without a configuration, unless told."""
    return subprocess.run(
        [sys.executable, "-m", "tui", *map(str, arguments)],
        capture_output=True, text=True, encoding="utf-8", check=False, cwd=folder or TESTS.root, timeout=60,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TESTS.parent), "LANG": "C.UTF-8", **environment},
    )  # fmt: skip


def test_check_says_what_is_wrong_like_a_compiler() -> None:
    """Place, line, caret under the value, path and hint; exit code 1."""
    finished = realms("check", WRONG)
    assert finished.returncode == 1
    assert finished.stderr == ""
    first, line, caret, path, hint, *_ = finished.stdout.split("\n")
    assert first == "cost-functions/pool-common.conf:2:46: error: 'hard' (8) is below 'soft' (16)"
    assert line == ' 2 | vcpus: { curve: "hard-soft", soft: 16, hard: 8 }'
    assert line[caret.index("^")] == "8"
    assert path.strip() == "at ticrypt.vm.cost-functions.pool1.vcpus.hard"
    assert "included at ticrypt-vm.conf:5" in hint
    assert finished.stdout.endswith("1 error, 0 warnings\n")


def test_check_in_json_has_the_contract_s_shape() -> None:
    """Nothing but the document on standard output."""
    finished = realms("check", WRONG, "--json")
    document = json.loads(finished.stdout)
    assert finished.returncode == 1
    assert {key: document[key] for key in ("config", "ok", "errors", "warnings")} == {
        "config": str(WRONG), "ok": False, "errors": 1, "warnings": 0,
    }  # fmt: skip
    (found,) = document["diagnostics"]
    assert list(found) == ["severity", "file", "line", "column", "path", "message", "hint", "code"]
    assert (found["severity"], found["code"], found["line"]) == ("error", "hard-below-soft", 2)
    assert found["file"] == "cost-functions/pool-common.conf"


def test_a_folder_in_the_place_of_the_file_is_told_with_the_file_in_it(tmp_path: Path) -> None:
    """Or with its usual name, where there is none."""
    told = realms("show", "--config", POOLS.parent)
    assert told.stderr == f"realms: {POOLS.parent} is a folder\n  did you mean {POOLS}?\n"
    told = realms("show", "--config", tmp_path)
    assert told.returncode == 2
    assert "usually ticrypt-vm.conf" in told.stderr


@pytest.mark.parametrize("arguments", [("check", POOLS), ("--config", POOLS, "check"), ("check", "--config", POOLS)])
def test_check_takes_the_file_in_every_way(arguments: tuple[str | Path, ...]) -> None:
    """As an argument, or by the global option before or after the command; exit code 0."""
    finished = realms(*arguments, "--json")
    assert finished.returncode == 0
    assert json.loads(finished.stdout)["ok"] is True


def test_the_argument_goes_before_the_environment() -> None:
    """REALMS_CONFIG is what is left."""
    assert realms("check", REALMS_CONFIG=str(WRONG)).returncode == 1
    assert realms("check", POOLS, REALMS_CONFIG=str(WRONG)).returncode == 0


def test_a_command_that_refuses_a_configuration_names_it_to_check() -> None:
    """Pasted, the hint checks that very file."""
    refused = realms("hosts", "list", "--config", WRONG)
    assert refused.returncode == 2
    assert f"realms check {WRONG} lists them all" in refused.stderr


def test_the_working_folder_is_looked_into() -> None:
    """./ticrypt-vm.conf."""
    assert realms("check", folder=POOLS.parent).returncode == 0


@pytest.mark.parametrize("command", ["check", "show"])
def test_a_file_that_can_t_be_read_exits_with_2(command: str, tmp_path: Path) -> None:
    """A missing one, a folder, and no file at all: one readable message, no traceback."""
    for arguments in ((tmp_path / "missing.conf",), (tmp_path,)):
        finished = realms(command, *arguments, "--json")
        assert (finished.returncode, finished.stdout) == (2, "")
        assert str(tmp_path) in finished.stderr or tmp_path.name in finished.stderr
        assert "Traceback" not in finished.stderr


def test_an_invalid_configuration_is_not_shown() -> None:
    """Its diagnostics go to standard error; exit code 2."""
    finished = realms("show", WRONG, "--json")
    assert (finished.returncode, finished.stdout) == (2, "")
    assert "pool-common.conf:2:46: error" in finished.stderr


def test_show_in_json_has_every_default() -> None:
    """The contract's shape, curves spelled out."""
    document = json.loads(realms("show", POOLS, "--json").stdout)
    assert list(document) == ["cost_functions", "hardware_profiles", "realms"]
    assert document["cost_functions"]["pool2"] == {
        "name": "Pool 2", "description": "", "scale": 1.0, "offset": 1000.0,
        "vms": {"curve": "linear", "slope": 1.0, "base": 0.0, "scale": 1.0, "max": None},
        "vcpus": {"curve": "hard-soft", "soft": 8.0, "hard": 24.0, "softAmt": 4.0, "hardAmt": 32.0, "scale": 1.0,
                  "max": None},
        "memory": {"curve": "hard-soft", "soft": 2.0**34, "hard": 2.0**35, "softAmt": 1.0, "hardAmt": 10.0,
                   "scale": 10.0, "max": None},
        "devices": {},
    }  # fmt: skip
    assert document["hardware_profiles"]["pool1"] == {
        "name": "pool1", "description": "Standard host in pool 1", "cores": 8, "memory": 2**35, "devices": [],
        "cost_function": "pool1",
    }  # fmt: skip
    assert document["realms"]["main"] == {
        "name": "Main realm", "disabled": False, "driver": "libvirt", "volumes_pool": "ticrypt-vm",
        "drives_pool": "ticrypt-vm-drives", "bricks_pool": "ticrypt-bricks", "snapshots_pool": "ticrypt-vm-snapshots",
        "log_scheduling": False, "registration_timeout": 300.0, "poll_frequency": 5.0, "network_filter": None,
        "network": "default", "registration_port": 22,
        "drives": {"lazy_allocation": True, "cache": "default", "min_size": None, "max_size": None},
    }  # fmt: skip


def test_show_for_people_names_everything() -> None:
    """Sizes as people write them."""
    shown = realms("show", SAMPLES / "gpu" / "ticrypt-vm.conf").stdout
    for text in (
        "soft: 900 GiB",
        "nvidia-a100 at 0000:81:00.0",
        "within 10 minutes",
        "at most 16 TiB",
        "none: costs 0",
    ):
        assert text in shown or text == "none: costs 0"


def test_control_characters_of_a_file_never_reach_the_terminal(tmp_path: Path) -> None:
    """Neither from values and names, nor from the line that is shown."""
    path = tmp_path / "a.conf"
    path.write_text(
        'ticrypt.vm.cost-functions."f\u202e\\u001b[31m" { vms: { curve: "x\\u001b]0;evil\\u0007" } } # \x1b[2J\n'
    )
    finished = realms("check", path)
    assert finished.returncode == 1
    assert not any(character in finished.stdout for character in "\x1b\x07\u202e")
    assert "\x1b" not in json.loads(realms("check", path, "--json").stdout)["diagnostics"][0]["path"]


@pytest.mark.parametrize("name", ["minimal", "gpu", "pools-and-includes"])
def test_the_sample_configurations_are_right(name: str) -> None:
    """Without a single warning."""
    reading = read(SAMPLES / name / "ticrypt-vm.conf", {})
    assert reading.diagnostics == ()
    assert reading.configuration is not None
    assert reading.configuration.realms
