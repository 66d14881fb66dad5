"""Every mistake of the table is found on its line, and nothing else is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from core.config.reader import read
from tests.config.mistake_case import Case
from tests.config.mistakes import CASES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_mistake_is_found_on_its_line(case: Case, tmp_path: Path) -> None:
    """Severity, place and a word of the message are as the table says; a mistake does not bring others along."""
    main, file, line = case.write(tmp_path)
    found = read(main, {}).diagnostics
    fitting = [
        diagnostic
        for diagnostic in found
        if diagnostic.severity == case.severity
        and re.search(case.keyword, diagnostic.message + diagnostic.hint)
        and (not line or (diagnostic.file, diagnostic.line) == (file, line))
    ]
    assert fitting, found
    assert len(found) == 1 or not case.alone, found
    assert (read(main, {}).configuration is None) == any(diagnostic.severity == "error" for diagnostic in found)


def test_the_configuration_without_a_mistake_is_right(tmp_path: Path) -> None:
    """The fragments that the table starts from bring no diagnostics of their own."""
    main, _, _ = Case("right", "", "").write(tmp_path)
    reading = read(main, {})
    assert reading.diagnostics == ()
    assert reading.configuration is not None
