"""Codes that leave the program: registered once, listed for users, and all that is decided by."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from core.codes import REGISTRY, RETIRED, SPACED, Code, DiagnosticCode, ErrorCode
from core.config.reader import read
from core.errors import RealmsError
from tests.config.examples import EXAMPLES, ROWS
from tests.config.mistakes import CASES
from tools.list_codes import PAGE, page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEBAB = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

RARE = {
    DiagnosticCode.NOT_UTF8: {"ticrypt-vm.conf": b"a: \xff\n"},
    DiagnosticCode.NESTED_TOO_DEEPLY: {"ticrypt-vm.conf": b"a {" * 500},
    DiagnosticCode.INCLUDE_AMBIGUOUS: {
        "ticrypt-vm.conf": b'ticrypt.vm.realms.main { include "a" }', "a.conf": b"x: 1", "a.json": b"{}",
    },
    DiagnosticCode.INCLUDE_IN_LIST: {
        "ticrypt-vm.conf": b'a: 1, b: [ { include "a.conf" } ]', "a.conf": b"x: ${a}",
    },
    DiagnosticCode.TOO_MANY_VALUES: {
        "ticrypt-vm.conf": b"a0: 1\n" + b"".join(b"a%d: [${a%d}, ${a%d}]\n" % (n, n - 1, n - 1) for n in range(1, 40)),
    },
    DiagnosticCode.SUBSTITUTION_AMBIGUOUS: {
        "ticrypt-vm.conf": b"a: { x: 1 }\na: ${?a.x} 5\n",
    },
}  # fmt: skip
"""Files of mistakes that are in no other table."""


def families() -> Iterator[type[Code]]:
    """Return every family of codes that there is."""
    yield from Code.__subclasses__()


def errors(kind: type[RealmsError] = RealmsError) -> Iterator[type[RealmsError]]:
    """Return every class of errors that was imported."""
    yield kind
    for each in kind.__subclasses__():
        yield from errors(each)


def test_every_family_is_registered() -> None:
    """Nobody makes codes beside the registry."""
    assert set(families()) == set(REGISTRY)


@pytest.mark.parametrize("family", REGISTRY, ids=lambda family: family.__name__)
def test_codes_are_unique_kebab_case_and_explained(family: type[Code]) -> None:
    """Aliases would be two names of one code; retired ones never come back."""
    values = [code.value for code in family]
    assert len(family.__members__) == len(values) == len(set(values))
    assert not set(values) & set(RETIRED.get(family, ()))
    assert [code for code in family if not KEBAB.fullmatch(code) and code not in SPACED] == []
    assert all(code.meaning.endswith(".") for code in family)


def test_all_codes_are_listed_for_users() -> None:
    """docs/codes.md is as tools/list_codes.py writes it."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_error_has_a_code() -> None:
    """Those of other layers too, by themselves or by what they are."""
    assert all(isinstance(kind.code, ErrorCode) for kind in errors())


def given(folder: Path) -> Iterator[tuple[str, set[Code]]]:
    """Read every example of a mistake, and give what it is called and the codes of its diagnostics."""
    for row in ROWS:
        yield row[0], {found.code for found in read(EXAMPLES / row[4], {}).diagnostics}
    for number, case in enumerate(CASES):
        main, _, _ = case.write(folder / str(number))
        yield case.name, {found.code for found in read(main, {}).diagnostics}
    for code, files in RARE.items():
        for name, content in files.items():
            (folder / code).mkdir(exist_ok=True)
            (folder / code / name).write_bytes(content)
        found = {found.code for found in read(folder / code / "ticrypt-vm.conf", {}).diagnostics}
        assert code in found
        yield code, found


def test_every_diagnostic_code_is_given_by_an_example(tmp_path: Path) -> None:
    """So none is dead, and each is what its name says."""
    codes = {code for _, found in given(tmp_path) for code in found}
    assert codes == set(DiagnosticCode)
