# ruff: noqa: E501 - tables
"""Damaged files: whatever is wrong with them, the reader says where, and never breaks."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.config.reader import Reading, read

EXAMPLES = Path(__file__).parent.parent / "data" / "examples" / "valid"
TEXTS = [path.read_text(encoding="utf-8") for path in sorted(EXAMPLES.glob("v0*/ticrypt-vm.conf"))]
PIECES = (
    "", "{", "}", "[", "]", ":", "=", ",", '"', "\n", "null", "${a}", "${?a}", "{}", "[]", "-1", "0", "1e400", "NaN", "true",
    'include "ticrypt-vm.conf"', "+=", "\0", "\ufeff", "\u2028", '"""', "x.y", "curve: hard-soft", "#", "//", "\\", "é", "1 GiB",
)  # fmt: skip


def check(reading: Reading) -> None:
    """Every diagnostic stands in a file that was read, and there is a configuration or an error."""
    assert (reading.configuration is None) == bool(reading.errors)
    for found in reading.diagnostics:
        lines = reading.sources[found.file].split("\n")
        assert 1 <= found.line <= len(lines)
        assert 1 <= found.column <= len(lines[found.line - 1]) + 2
        assert found.message


@pytest.mark.parametrize("seed", range(6))
def test_files_with_pieces_put_in_or_taken_out(seed: int, tmp_path: Path) -> None:
    """A word, a mark or a line is replaced by something odd, or left out, in files that were right."""
    chance = random.Random(seed)
    for _ in range(40):
        text = chance.choice(TEXTS)
        for _ in range(chance.randint(1, 3)):
            start = chance.randrange(len(text))
            end = min(len(text), start + chance.choice((0, 1, 1, 5, 40)))
            text = text[:start] + chance.choice(PIECES) + text[end:]
        path = tmp_path / "ticrypt-vm.conf"
        path.write_text(text, encoding="utf-8", newline="")
        check(read(path, {}))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    content=st.one_of(
        st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
    )
)
def test_any_bytes(tmp_path: Path, content: bytes) -> None:
    """Nothing but diagnostics comes out."""
    path = tmp_path / "main.conf"
    path.write_bytes(content)
    check(read(path, {}))


VALUES = st.recursive(
    st.sampled_from(("1", "-1", "0", '"x"', "linear", "hard-soft", "8 GiB", "null", "on", "${ticrypt.vm.realms}", '"0:1.0"')),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]"),
        st.dictionaries(
            st.sampled_from(
                ("curve", "slope", "soft", "hard", "low", "cutoff", "vms", "memory", "devices", "cores", "cost-function", "type",
                 "addr", "name", "drives", "cache", "driver", "disabled", "min-size", "poll-frequency", "max")
            ),
            inner, max_size=4,
        ).map(lambda fields: "{ " + ", ".join(f"{key}: {value}" for key, value in fields.items()) + " }"),
    ),
    max_leaves=12,
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(
    section=st.sampled_from(("cost-functions", "hardware-profiles", "realms", "cost-functions.f.memory", "hardware-profiles.p.devices")),
    value=VALUES,
)  # fmt: skip
def test_any_value_anywhere(tmp_path: Path, section: str, value: str) -> None:
    """Every parameter may turn out to be a block, a list or a text."""
    path = tmp_path / "main.conf"
    path.write_text(f"ticrypt.vm.{section}: {value}\n", encoding="utf-8")
    check(read(path, {}))
