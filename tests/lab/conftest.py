"""Fixtures of the tests that run on real libvirt hosts: a lab for each process, or one skipped line that says why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .parts.administrator import admin, places, running, session  # noqa: F401 - fixtures
from .parts.lab import Lab
from .parts.migrations import place  # noqa: F401 - a fixture
from .parts.requirements import why_not
from .parts.storage import qcow2, work  # noqa: F401 - fixtures
from .parts.vms import realm  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_STARTERS = {"test_lab", "test_faults"}
"""Start labs of their own. Each start tears down stale labs, and test_lab looks at one before that."""


@pytest.hookimpl(tryfirst=True)  # before xdist looks for groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder, and keep those of a file in one process where several run: each has its lab."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.lab)
            item.add_marker(pytest.mark.xdist_group("lab" if item.path.stem in _STARTERS else item.path.stem))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let all tests be skipped at one place, so that the run says once why."""
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple):
        report.longrepr = (str(Path(__file__).parent), 0, report.longrepr[2])
    return report


@pytest.fixture(scope="session", autouse=True)
def _lab_is_possible() -> None:
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def shared_lab(_lab_is_possible: None) -> Iterator[Lab]:
    """Three hosts, as long as the process runs tests; they take `lab`."""
    with Lab.start(hosts=3) as lab:
        yield lab


@pytest.fixture
def lab(shared_lab: Lab) -> Iterator[Lab]:
    """Three hosts in good order, without guests before and after."""
    yield shared_lab
    shared_lab.mend()
