"""The JSON that commands print is described: every key, under the heading of its command."""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.docs.pages import ROOT, anchor_of, offline, section, sections, text_of
from tests.driver.worlds import Guest, write_node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.cli.program import Outcome

BY_NAME = {"cost_functions", "hardware_profiles", "realms", "devices", "left", "free", "free_devices"}
"""Keys of objects whose keys are names; elsewhere such an object is `pools`, where its values are no lists."""


def keys_of(document: Any) -> Iterator[str]:
    """Walk all keys of a document, but for keys that are names."""
    if isinstance(document, list):
        for each in document:
            yield from keys_of(each)
    if isinstance(document, dict):
        for key, value in document.items():
            yield key
            named = key in BY_NAME or (key == "pools" and isinstance(value, dict))
            for each in value.values() if named and isinstance(value, dict) else (value,):
                yield from keys_of(each)


def described(name: str) -> set[str]:
    """Find the keys that json.md names for a command: in its section, those it links to, and the shared objects."""
    by_anchor = {anchor_of(each.title): each.text for each in sections(text_of("json.md"))}
    shared = text_of("json.md").partition("## Shared objects")[2].partition("## realms check")[0]
    seen: set[str] = set()

    def read(anchor: str) -> str:
        if anchor in seen:
            return ""
        seen.add(anchor)
        text = by_anchor[anchor]
        return text + "".join(read(link) for link in re.findall(r"\(#([\w-]+)\)", text))

    words = re.findall(r'"(\w+)":|`"?(\w+)"?`', read(anchor_of(name)) + shared + by_anchor["rules"])
    return {first or second for first, second in words}


WHAT_IF = ("--set", "cost-functions.cpu.memory.soft=800 GiB", "--host-state", "h3=enabled", "--without", "h7",
           "--without-vm", "h2/db", "--with-vm", "h1=8,64GiB")  # fmt: skip
SAVED = [
    ("realms check",),
    ("realms show",),
    ("realms cost", "--function", "cpu", "--vms", 1, "--vcpus", 8, "--memory", "64GiB"),
    ("realms hosts list",),
    ("realms vms list",),
    ("realms place", "--vcpus", 8, "--memory", "64GiB", "--explain", *WHAT_IF),
    ("realms place", "--vcpus", 8, "--memory", "64GiB", "--device", "nvidia-a100=4", "--explain"),
    ("realms plan capacity", "--vcpus", 8, "--memory", "64GiB", *WHAT_IF),
    ("realms plan capacity", "--mix", "3=8,64GiB", "--mix", "1=16,256GiB", *WHAT_IF),
    ("realms plan failure", "--at-once", 2, *WHAT_IF),
    ("realms plan drain", "h1", *WHAT_IF),
    ("realms plan drain", "h4"),
    ("realms plan drain", "h3"),
    ("realms plan rebalance", *WHAT_IF),
    ("realms plan room", "--vcpus", 8, "--memory", "64GiB", "--device", "nvidia-a100=3", *WHAT_IF),
    ("realms plan batch", "20=8,64GiB", "5=4,32GiB,nvidia-a100=1", *WHAT_IF),
]  # fmt: skip
TWIN = "11111111-2222-3333-4444-555555555555"
LIVE: list[tuple[Any, ...]] = [
    ("realms check", "wrong.conf"),
    ("realms replay", "scheduling.jsonl", "--all"),
    ("realms replay", "scheduling.jsonl", "--set", "cost-functions.cpu.vms={ curve: unavailable }"),
    ("realms hosts list", "--live"),
    ("realms hosts test", "t1"),
    ("realms hosts test", "URI"),
    ("realms hosts discover", "URI"),
    ("realms vms list",),
    ("realms vms create", "new", "--brick", "none", "--vcpus", 1, "--memory", "2TiB"),
    ("realms vms pause", "guest", "--foreign"),
    ("realms vms delete", "guest", "--foreign"),
    ("realms vms snapshots",),
    ("realms vms recover",),
    ("realms vms migrate", "guest", "--check", "--foreign"),
    ("realms plan drain", "t1", "--apply"),
    ("realms plan resume",),
    ("realms plan resume", "--list"),
    ("realms pools status",),
    ("realms pools setup", "--path", "/pools", "--dry-run"),
    ("realms pools remove", "--dry-run"),
    ("realms pools remove", "--host", "t2", "--pool", "snapshots", "--yes"),
    ("realms bricks list",),
    ("realms drives list",),
    ("realms drives create", "data", "--size", "1GiB"),
    ("realms volumes list",),
    ("realms doctor",),
    ("realms keys show", "--file", "key"),
]
"""Run on hosts of libvirt's test driver."""


def check_described(name: str, outcome: Outcome) -> None:
    """Check that each key of a document is described with its command."""
    assert outcome.code in (0, 1), outcome.err
    assert set(keys_of(outcome.json)) - described(name) == set()


@pytest.mark.parametrize("arguments", SAVED, ids=lambda arguments: " ".join(map(str, arguments[:5])))
def test_keys_of_answers_from_a_saved_fleet_are_described(
    run: Callable[..., Outcome], folder: Path, arguments: tuple[Any, ...]
) -> None:
    """Under the heading of the command."""
    name, *rest = arguments
    check_described(name, run(*offline(folder, name), *name.split()[1:], *rest, "--json"))


def test_keys_of_answers_from_hosts_are_described(run: Callable[..., Outcome], folder: Path) -> None:
    """Under the heading of the command, whether it succeeds or not."""
    (folder / "wrong.conf").write_text("ticrypt.vm.realms.main { driver: libvrt }", encoding="utf-8")
    pools = ("ticrypt-vm", "ticrypt-vm-drives", "ticrypt-bricks", "ticrypt-vm-snapshots")
    uris = [
        write_node(folder / f"{name}.xml", [Guest(name="guest" if name == "t1" else "other")], pools=pools)
        for name in ("t1", "t2")
    ]
    for name, uri in zip(("t1", "t2"), uris, strict=True):
        assert run("hosts", "add", name, "--realm", "main", "--profile", "cpu-node", "--uri", uri).code == 0
    assert run("keys", "make", "--file", folder / "key").code == 0
    for name, *rest in LIVE:
        words = [uris[0] if word == "URI" else word for word in rest]
        check_described(name, run(*name.split()[1:], *words, "--json"))


def test_keys_of_documents_that_need_more_than_this_machine_are_described() -> None:
    """Those that commands write down in their code: of migrations, restored snapshots, applied plans."""
    named = {first or second for first, second in re.findall(r'"([\w-]+)":|`"?([\w-]+)"?`', text_of("json.md"))}
    for path in sorted((ROOT / "tui" / "cli").rglob("*.py")):
        assert document_keys(ast.parse(path.read_text(encoding="utf-8"))) - named == set(), path


def document_keys(tree: ast.AST) -> set[str]:
    """Find the keys of what functions return as a JSON object, and of what is printed as one."""
    documents = [
        node
        for node in ast.walk(tree)
        if (isinstance(node, ast.FunctionDef) and ast.unparse(node.returns or node).startswith("dict[str, Any"))
        or (isinstance(node, ast.Call) and ast.unparse(node.func) == "print_json")
    ]
    objects = [each for node in documents for each in ast.walk(node) if isinstance(each, ast.Dict)]
    constants = [key for each in objects for key in each.keys if isinstance(key, ast.Constant)]
    return {key.value for key in constants if isinstance(key.value, str)}


def test_keys_of_a_saved_fleet_and_of_the_log_are_described(run: Callable[..., Outcome], folder: Path) -> None:
    """Those that a fleet file and a line of the scheduling log have."""
    uri = write_node(folder / "t1.xml", [Guest(name="guest")])
    assert run("hosts", "add", "t1", "--realm", "main", "--profile", "cpu-node", "--uri", uri).code == 0
    assert set(keys_of(run("fleet", "save", "-").json)) - described("Saved fleet") == set()
    line = json.loads((folder / "scheduling.jsonl").read_text(encoding="utf-8").splitlines()[0])
    named = set(re.findall(r"`(\w+)`", section("logs.md", "What a line holds")))
    assert set(line) | set(line["hosts"][0]) <= named
