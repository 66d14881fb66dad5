"""Text from outside never acts on a terminal."""

from __future__ import annotations

import json
import shlex
import subprocess
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text import json_text, natural, nearest, one_line, printable, shell_command

HARMFUL = {"Cc", "Cs", "Zl", "Zp"}


@given(st.text(st.characters(), max_size=60))
def test_what_is_printable_holds_no_control_character(text: str) -> None:
    """Nor a lone surrogate, nor a line separator; its length stays, so that columns do."""
    shown = printable(text)
    assert len(shown) == len(text)
    assert not HARMFUL & {unicodedata.category(character) for character in shown}


@given(st.recursive(st.text(st.characters(), max_size=40), lambda inner: st.lists(inner, max_size=3)))
def test_json_holds_nothing_that_acts_on_a_terminal(value: object) -> None:
    """Controls, lone surrogates, marks that reorder or hide text: all are escapes, and are read back as they were."""
    text = json_text(value, indent=2)
    assert json.loads(text) == value
    assert printable(text.replace("\n", "")) == text.replace("\n", "")


def test_json_leaves_ordinary_text_as_it_is() -> None:
    """Only what acts is escaped."""
    value = ["h\u00f4te", "a\u202eb\x7f\x9b\U000e0041"]
    assert json_text(value) == '["h\u00f4te", "a\\u202eb\\u007f\\u009b\\udb40\\udc41"]'


@pytest.mark.parametrize("text", ["web-01", "[/]", "[@click=app.quit]x", "h\u00f4te \u4e3b\u673a", "a b"])
def test_ordinary_text_is_unchanged(text: str) -> None:
    """Markup is no danger where it isn't interpreted."""
    assert printable(text) == text


@pytest.mark.parametrize("character", ["\x1b", "\x9b", "\u202e", "\u2066", "\u200b", "\x7f", "\n", "\r", "\t", "\x00"])
def test_a_character_that_acts_is_replaced(character: str) -> None:
    """By one visible stand-in."""
    assert printable(f"a{character}b") == "a\ufffdb"


def test_a_long_message_is_folded_and_cut() -> None:
    """With an ellipsis, so that the cut shows."""
    assert one_line("a\n  b\tc") == "a b c"
    assert one_line("x" * 400, 10) == "x" * 9 + "\u2026"


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("mian", ["main", "lab"], "main"),
        ("lba", ["lab", "main"], "lab"),
        ("cpx", ["cpu", "gpu"], ""),
        ("COST_FUNCTIONS", ["cost-functions", "realms"], "cost-functions"),
        ("write through", ["none", "writethrough", "writeback"], "writethrough"),
        ("GPU", ["gpu-node", "gpu"], "gpu"),
        ("h\uff11", ["h1", "h2"], "h1"),
        ("H\u00d4TE", ["h\u00f4te"], "h\u00f4te"),
        ("x", ["main", "lab"], ""),
        ("web", ["db"], ""),
        ("", ["main"], ""),
        ("main", [], ""),
    ],
)
def test_the_word_that_was_meant_is_found(word: str, known: list[str], meant: str) -> None:
    """As it is written; none where none is close."""
    assert nearest(word, known) == meant


def test_names_are_in_the_order_of_people() -> None:
    """Numbers by their value, however long; case aside; a name before what it begins."""
    names = ["10", "h", "h01", "h1", "H2", "h2a", "h10", f"h{'9' * 5000}", f"h1{'0' * 5000}", "h\u00b2", "h\u0663", "i"]
    backwards = names[::-1]
    assert sorted(backwards, key=natural) == names


@given(st.text(), st.text())
def test_only_equal_names_are_in_the_same_place(one: str, other: str) -> None:
    """Whatever they are made of: the order is the same each time."""
    assert (natural(one) == natural(other)) == (one == other)
    assert natural(one) <= natural(other) or natural(one) > natural(other)


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)))))
def test_a_shell_takes_each_value_of_a_command_as_one_word(values: list[str]) -> None:
    """Whatever it holds: blanks, quotes, or nothing."""
    assert shlex.split(shell_command("realms vms start", *values)) == ["realms", "vms", "start", *values]


def test_a_pasted_command_runs_nothing_of_a_name(tmp_path: Path) -> None:
    """In a real shell, which expands what it can."""
    hostile = ["a$(touch x);b", "`touch x`", "a && touch x", "'; touch x; '", "*", "~", "$HOME", "a\ntouch x"]
    pasted = shell_command("printf '%s\\0'", *hostile)
    ran = subprocess.run(["sh", "-c", pasted], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ran.stdout.split("\0")[:-1] == hostile
    assert not list(tmp_path.iterdir())
