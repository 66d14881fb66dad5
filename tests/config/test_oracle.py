# ruff: noqa: E501 - tables of constructs
"""The reference reader of HOCON and ours, side by side on the same files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from core.config.composition import Composer
from core.config.report import DiagnosticReport
from core.config.resolution import Resolver
from core.config.second_reading import compare
from core.config.sources import Sources
from core.config.syntax import TokenKind
from core.config.values import ListValue, ObjectValue, Value
from tests.config.oracle.corpus import Corpus

JAR = Path("/usr/share/java/typesafe-config.jar")
PROGRAM = Path(__file__).parent / "oracle" / "ResolveCorpus.java"
ENVIRONMENT = {**os.environ, "REALMS_ORACLE": "from outside"}
REFUSED = "refused"
BROKEN = "broken"
"""The reference's word for a defect of its own."""

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.skipif(
        not JAR.exists() or shutil.which("java") is None,
        reason=f"needs java and {JAR} (Debian: default-jre-headless, libtypesafe-config-java)",
    ),
]

MISREAD = (
    "devices = [1]\ndevices += { a: 1 }", "devices += 1\ndevices += [2]", "a: x // comment", "a: 1 # comment", "a: true story",
    'a: "\\u00e9"', 'a: ["", 1, ""]', 'a: "b c".d', 'devices."nvidia a100" { x: 1 }', "a: TRUE", "a: 0.1 0.2",
    "a { x: 1, y: 2 }\nb = ${a}\nb { x: 3 }", "a { x: 1 }\nb = ${a} { y: 2 }\nb { z: 3 }", "a: 10 minutes", "a: 2 d", "a: 32 m",
    "a: pays 5 d a week", "\ufeffa: 1", "a:\u00a01", "a: [1, 2,]", "a = [1]\na = ${a} [2]", "a: ${?nothing}", "a: [${?nothing}, 1]",
    "a: x\na: ${a} y", "a.b: 1\na { c: 2 }\na: null", "a: { b: 1 }\na: 5\na: { c: 2 }", "a: 1\n\n\n,b: 2", '"a.b": 1, a.b: 2',
    "a: b\tc", "a: 'it''s'", "a: 007", "a: 1e400", "a: -0", "a: 12345678901234567890", "x: ${REALMS_ORACLE}", "x: pre${REALMS_ORACLE}post",
    "a {\n  b: 1\n}\nc: ${a.b}", "a: { b: { c: 1 } }\nd: ${a.b} { c: 2, e: 3 }", "a = { b: ${c}, c: 1 }\nc: 2", "a\u2003b: 1",
    "a: 1\r\nb: 2\r\n", "a: \"\"\"x\ny\"\"\"", "a = \n\n 5", "a: [\n1\n2\n]", "a: [{b: 1}\n{c: 2}]", "a: [[1, 2], [3]] [4]",
    "a { b { x: 1 } }\na.b = null\na.b = { y: 2 }\na.c += { d: 1 }",
)  # fmt: skip
FORBIDDEN = (
    "a: 01:00.0", "[1,,2]", "a: [1,,2]", "a: 1,,b: 2", "description:\nname: x", "a: b?", "a: ${b}", "a", "a {", "a: }", "a: [1",
    'a: "b', 'a: "\\q"', "{ curve: linear slope: 1 }", "a {b: 1}{c: 2}", ".a: 1", "a.: 1", "a: {b: 1} [2]", "a: +5", "include x", "a: ${a}",
    "a: ${b}\nb: ${a}", "a: [ a += 1 ]", 'a: "tab\there"', "}", "a: 1 }", "a: $b", "a: *", ",a: 1", "a = = 1", "a:\n",
)  # fmt: skip


def ours(path: Path) -> Any:
    """Our reading as plain data, or REFUSED."""
    report = DiagnosticReport()
    sources = Sources(path.parent)
    root = Composer(sources, report).compose(sources.read_main(path))
    resolved = Resolver(root, ENVIRONMENT, report).resolve()
    if not report.errors:
        compare(root, resolved, ENVIRONMENT, report)
    return REFUSED if report.errors else plain(resolved)


def plain(value: Value) -> Any:
    """Make plain data of a resolved value; numbers are doubles."""
    if isinstance(value, ObjectValue):
        return {key: plain(field.value) for key, field in value.fields.items()}
    if isinstance(value, ListValue):
        return [plain(item) for item in value.items]
    if value.kind is TokenKind.NUMBER:
        return float(value.text)
    return {TokenKind.NULL: None, TokenKind.BOOLEAN: value.text == "true", TokenKind.STRING: value.text}[value.kind]


def theirs(paths: list[Path]) -> list[Any]:
    """Return the reference's reading of many files, in one run of its virtual machine."""
    finished = subprocess.run(
        ["java", "-cp", str(JAR), str(PROGRAM)],
        input="".join(f"{path}\n" for path in paths),
        capture_output=True, text=True, encoding="utf-8", env=ENVIRONMENT, check=True, timeout=240,
    )  # fmt: skip
    answers = finished.stdout.split("\n")[:-1]
    assert len(answers) == len(paths)
    return [
        json.loads(answer[3:], parse_int=float) if answer.startswith("ok ") else {"broken": BROKEN}.get(answer, REFUSED)
        for answer in answers
    ]


def differences(paths: list[Path], *, may_refuse: bool = False) -> list[tuple[str, Any, Any]]:
    """List the files on which the readings differ; `may_refuse`: we may refuse what the reference accepts."""
    found = []
    for path, reference in zip(paths, theirs(paths), strict=True):
        own = ours(path)
        if reference == BROKEN:
            continue
        if own != reference and not (may_refuse and own == REFUSED):
            found.append((path.read_text(encoding="utf-8"), own, reference))
    return found


def write(folder: Path, texts: tuple[str, ...]) -> list[Path]:
    """Write one file for each text."""
    paths = []
    for number, text in enumerate(texts):
        path = folder / f"{number}.conf"
        path.write_text(text, encoding="utf-8", newline="")
        paths.append(path)
    return paths


def test_what_other_readers_misread_is_read_like_the_reference(tmp_path: Path) -> None:
    """Constructs that pyhocon alone takes for something else, or refuses."""
    assert differences(write(tmp_path, MISREAD)) == []


def test_what_hocon_forbids_is_refused_like_by_the_reference(tmp_path: Path) -> None:
    """Constructs that a lenient reader lets through."""
    paths = write(tmp_path, FORBIDDEN)
    assert theirs(paths) == [REFUSED] * len(paths)
    assert [ours(path) for path in paths] == [REFUSED] * len(paths)


def test_orderly_files_mean_the_same_as_to_the_reference(tmp_path: Path) -> None:
    """Merging, substitutions, includes, concatenation, self-references and the environment, mixed."""
    assert differences(Corpus(tmp_path, seed=11).orderly(400)) == []


def test_damaged_files_are_refused_or_mean_the_same(tmp_path: Path) -> None:
    """What the reference refuses we refuse; what both accept is equal."""
    corpus = Corpus(tmp_path, seed=12)
    assert differences(corpus.damaged(400) + corpus.soup(400), may_refuse=True) == []
