"""The examples of tests/data: what each valid one means, and where each invalid one is wrong."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

import pytest

from core.config.reader import read
from core.costs import Use
from core.diagnostics import Severity
from tests.config.examples import EXAMPLES, ROWS

if TYPE_CHECKING:
    from pathlib import Path

    from core.config.model import Configuration
    from core.realms import Realm

VALID = sorted(path.parent for folder in ("valid", "hard") for path in EXAMPLES.glob(f"{folder}/*/EXPECTED.json"))


def places(row: list[str]) -> list[tuple[str, int]]:
    """Positions that a row of EXPECTED.tsv accepts, relative to the main file's folder."""
    file, line, _, _, main, others, *_ = row
    found = [(file, int(line))]
    found += [(name, int(number)) for name, _, number in (o.rpartition(":") for o in others.split() if o != "-")]
    return [(str((EXAMPLES / name).relative_to((EXAMPLES / main).parent)), number) for name, number in found]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_each_mistake_is_reported_where_it_stands(row: list[str]) -> None:
    """The severity, the place, the code and a word to search for are those of EXPECTED.tsv."""
    _, _, severity, keyword, main, _, _, _, code = row
    reading = read(EXAMPLES / main, {})
    fitting = [
        found
        for found in reading.diagnostics
        if (found.severity, found.code) == (severity, code)
        and (found.file, found.line) in places(row)
        and re.search(keyword, found.message)
    ]
    assert fitting, reading.diagnostics
    assert (reading.configuration is None) == any(found.severity is Severity.ERROR for found in reading.diagnostics)


@pytest.mark.parametrize("folder", VALID, ids=[folder.name for folder in VALID])
def test_each_valid_example_means_what_is_expected(folder: Path) -> None:
    """Every name, number and default of EXPECTED.json."""
    expected = json.loads((folder / "EXPECTED.json").read_text(encoding="utf-8"))
    configuration = read(folder / "ticrypt-vm.conf", expected["environment"]).configuration
    assert configuration is not None
    assert functions_of(configuration) == expected["cost-functions"]
    assert profiles_of(configuration) == expected["hardware-profiles"]
    assert configuration.realms.keys() == expected["realms"].keys()
    for identity, realm in expected["realms"].items():
        assert realm_of(configuration.realms[identity]).items() >= realm.items()


@pytest.mark.parametrize("folder", VALID, ids=[folder.name for folder in VALID])
def test_each_valid_example_costs_what_is_expected(folder: Path) -> None:
    """Every cost of EXPECTED.json, infinity included."""
    expected = json.loads((folder / "EXPECTED.json").read_text(encoding="utf-8"))
    configuration = read(folder / "ticrypt-vm.conf", expected["environment"]).configuration
    assert configuration is not None
    for case in expected["costs"]:
        use = Use(case["vms"], case["vcpus"], case["memory"], case["devices"])
        cost = configuration.cost_functions[case["cost-function"]].cost(use).total
        assert cost == (math.inf if case["cost"] == "inf" else pytest.approx(case["cost"], rel=1e-12)), case


def functions_of(configuration: Configuration) -> dict[str, Any]:
    """Cost functions in the words of EXPECTED.json."""
    return {
        identity: {
            "name": function.name,
            "description": function.description,
            "scale": function.scale,
            "offset": function.offset,
            "curves": sorted(name for name in ("vms", "vcpus", "memory") if getattr(function, name) is not None),
            "device-types": sorted(function.devices),
        }
        for identity, function in configuration.cost_functions.items()
    }


def profiles_of(configuration: Configuration) -> dict[str, Any]:
    """Hardware profiles in the words of EXPECTED.json."""
    return {
        identity: {
            "name": profile.name,
            "description": profile.description,
            "cores": profile.cores,
            "memory": profile.memory_bytes,
            "cost-function": profile.cost_function,
            "devices": [{"type": device.type, "addr": str(device.address)} for device in profile.devices],
        }
        for identity, profile in configuration.hardware_profiles.items()
    }


def realm_of(realm: Realm) -> dict[str, Any]:
    """Return a realm in the words of EXPECTED.json."""
    return {
        "disabled": realm.disabled,
        "driver": realm.driver,
        "name": realm.name,
        "volumes-pool": realm.volumes_pool,
        "drives-pool": realm.drives_pool,
        "bricks-pool": realm.bricks_pool,
        "snapshots-pool": realm.snapshots_pool,
        "log-scheduling": realm.log_scheduling,
        "registration-timeout-seconds": realm.registration_timeout,
        "poll-frequency-seconds": realm.poll_frequency,
        "network-filter": realm.network_filter,
        "drives.lazy-allocation": realm.drives.lazy_allocation,
        "drives.cache": realm.drives.cache,
        "drives.min-size": realm.drives.min_size,
        "drives.max-size": realm.drives.max_size,
    }
