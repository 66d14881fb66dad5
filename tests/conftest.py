"""What every test stands on."""

from __future__ import annotations

import importlib
import os
import pkgutil
from typing import TYPE_CHECKING

from hypothesis import settings

import core
import tui

if TYPE_CHECKING:
    import pytest

# How long an example takes says nothing on a machine that others work on too. The same examples in every run, so that a
# change is judged by what it changes; REALMS_EXPLORE=1 looks for new ones, ten times as many.
settings.register_profile("house", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("explore" if os.environ.get("REALMS_EXPLORE") else "house")


def pytest_sessionstart() -> None:
    """Load the whole program: the examples have constants of what is loaded, which hung on the tests run before."""
    for package in (core, tui):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark pictures, and as slow what runs the whole application or a real terminal."""
    for item in items:
        if "snap_compare" in getattr(item, "fixturenames", ()):
            item.add_marker("picture")
        if "tui" in item.path.parts and (
            item.get_closest_marker("picture") or item.get_closest_marker("asyncio") or "terminal" in str(item.path)
        ):
            item.add_marker("slow")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the tables of figures that tests have recorded, below everything else."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    for report in reports:
        for name, value in getattr(report, "user_properties", ()) if getattr(report, "when", "") == "call" else ():
            if name == "table":
                terminalreporter.section(report.nodeid.rpartition("::")[2])
                terminalreporter.write_line(str(value))
