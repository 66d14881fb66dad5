# ruff: noqa: E501 - configurations on one line
"""What right files mean, and how the reader behaves on awkward ones."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING

import pytest

from core.config.places import find_configuration
from core.config.reader import Reading, load, read
from core.costs import Use
from core.curves import HardSoft, Linear
from core.errors import ConfigurationInvalid, UnreadableFile
from core.realms import CacheMode, Realm

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from core.config.model import Configuration

FUNCTION = "ticrypt.vm.cost-functions.f { memory: { curve: hard-soft, soft: 1 GiB, hard: 2 GiB } }\n"
REALM = "driver: libvirt\nname: Main\ndisabled: no\ndrives.lazy-allocation: on\n"


class Folder:
    """A folder of configuration files that can be read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, main: str | bytes, environment: dict[str, str] | None = None, **files: str | bytes) -> Reading:
        """Write the main file and others (`a__b` is a/b.conf), and read them."""
        for name, content in {"main": main, **files}.items():
            path = self.path / f"{name.replace('__', '/')}.conf"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read(self.path / "main.conf", environment or {})


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Return an empty folder."""
    return Folder(tmp_path)


def right(reading: Reading) -> Configuration:
    """Return the configuration of a reading without any diagnostic."""
    assert reading.diagnostics == ()
    assert reading.configuration is not None
    return reading.configuration


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text, lambda text: text.replace("\n", "\r\n"), lambda text: text.replace(" ", "\t"),
        lambda text: text.replace(" ", "\u00a0"), lambda text: "// comment\n" + text + "# no new line at the end",
        lambda text: "{" + text + "}", lambda text: text.replace(":", " ="), lambda text: text.replace(", ", "\n,"),
    ],
    ids=["BOM", "CRLF", "tabs", "no-break spaces", "comments", "braces", "equals", "commas"],
)  # fmt: skip
def test_looks_do_not_matter(folder: Folder, change: Callable[[str], str]) -> None:
    """The same file as different editors and people write it."""
    curve = right(folder.read(change(FUNCTION))).cost_functions["f"].memory
    assert curve == HardSoft(soft=2**30, hard=2**31)


@pytest.mark.parametrize("text", ["8", "8.0", '"8"', "8e0", "0.8e1", '"8.0"'])
def test_whole_numbers_may_be_written_as_reals_and_texts(folder: Folder, text: str) -> None:
    """Int: 42, 8.0, "8"."""
    main = FUNCTION + f"ticrypt.vm.hardware-profiles.p {{ cores: {text}, memory: 4 GiB, cost-function: f }}"
    assert right(folder.read(main)).hardware_profiles["p"].cores == 8


@pytest.mark.parametrize(
    "text", ["9007199254740993", '"9007199254740993"', "9007199254740993 B", "9007199254740993 bytes"]
)
def test_byte_counts_past_2_to_the_53_are_exact(folder: Folder, text: str) -> None:
    """They are integers, not doubles."""
    main = FUNCTION + f"ticrypt.vm.hardware-profiles.p {{ cores: 1, memory: {text}, cost-function: f }}"
    assert right(folder.read(main)).hardware_profiles["p"].memory_bytes == 2**53 + 1


@pytest.mark.parametrize(
    ("text", "value"), [(word, True) for word in ("on", "true", "yes")] + [(w, False) for w in ("off", "false", "no")]
)
@pytest.mark.parametrize("quote", ["", '"'])
def test_switches_are_read_as_hocon_reads_booleans(folder: Folder, text: str, value: bool, quote: str) -> None:
    """Quoted or not."""
    main = f"ticrypt.vm.realms.r {{ {REALM.replace('disabled: no', f'disabled: {quote}{text}{quote}')} }}"
    assert right(folder.read(main)).realms["r"].disabled is value


def test_a_realm_has_every_default(folder: Folder) -> None:
    """As the specification's section 6 gives them."""
    realm = right(folder.read('ticrypt.vm.realms.r = { include "r.conf" }', r=REALM)).realms["r"]
    assert realm == Realm(id="r", name="Main")
    assert (realm.registration_timeout, realm.poll_frequency, realm.network, realm.registration_port) == (
        300,
        5,
        "default",
        22,
    )
    assert realm.pools == ("ticrypt-vm", "ticrypt-vm-drives", "ticrypt-bricks", "ticrypt-vm-snapshots")


def test_every_parameter_of_a_realm_is_read(folder: Folder) -> None:
    """Drives as a block is the same as dotted keys; the snapshots pool follows the volumes pool."""
    text = REALM.replace("drives.lazy-allocation: on", "") + (
        "volumes-pool: v\ndrives-pool: d\nbricks-pool: b\nlog-scheduling: on\nregistration-timeout: 10 minutes\n"
        "poll-frequency: 500 ms\nnetwork-filter: clean-traffic\nnetwork: vms\nregistration-port: 2222\n"
        "drives { lazy-allocation: off, cache: writeback, min-size: 1 GiB, max-size: 1 TB }\nuploads { a: 1 }\nscaling { }\n"
    )
    realm = right(folder.read('ticrypt.vm.realms.r = { include "r.conf" }', r=text)).realms["r"]
    assert (realm.volumes_pool, realm.drives_pool, realm.bricks_pool, realm.snapshots_pool) == (
        "v",
        "d",
        "b",
        "v-snapshots",
    )
    assert (realm.log_scheduling, realm.registration_timeout, realm.poll_frequency) == (True, 600.0, 0.5)
    assert (realm.network_filter, realm.network, realm.registration_port) == ("clean-traffic", "vms", 2222)
    assert (realm.drives.lazy_allocation, realm.drives.cache) == (False, CacheMode.WRITEBACK)
    assert (realm.drives.min_size, realm.drives.max_size) == (2**30, 10**12)


def test_other_services_keys_are_accepted_silently(folder: Folder) -> None:
    """Also what looks like a mistake inside them."""
    others = 'mongodb { uri: "x", uri: "y" }\nfirewalld: on\nlicensing-server-driver: a\nreload-freq: 5\nakka { a {}, a {} }\nanything { b: 1 }'
    right(folder.read(f"{FUNCTION}ticrypt.vm {{\n{others}\n}}\nakka.loglevel: INFO"))


def test_sections_are_opened_several_times(folder: Folder) -> None:
    """By path, by block, in several files; ids keep the order in which they come."""
    main = f'{FUNCTION}ticrypt.vm {{ cost-functions {{ g {{ vms: {{ curve: invalid }} }} }} }}\nticrypt {{ vm {{ include "more.conf" }} }}'
    configuration = right(folder.read(main, more="cost-functions.h { vms: { curve: unavailable } }"))
    assert list(configuration.cost_functions) == ["f", "g", "h"]


def test_null_unsets(folder: Folder) -> None:
    """Before and after, for a curve and for a whole profile."""
    main = f"{FUNCTION}ticrypt.vm.cost-functions.f.memory: null\nticrypt.vm.cost-functions.f.vms {{ curve: linear, slope: 1, base: 0 }}"
    configuration = right(folder.read(f"{main}\nticrypt.vm.hardware-profiles.p: null"))
    assert configuration.cost_functions["f"].memory is None
    assert configuration.hardware_profiles == {}


def test_a_function_inherits_from_another_and_replaces_a_value(folder: Folder) -> None:
    """The substitution before the block, or side by side with it."""
    main = (
        "ticrypt.vm.cost-functions {\n"
        "  a { vcpus { curve: hard-soft, soft: 8, hard: 16 }, memory { curve: unavailable } }\n"
        "  b = ${ticrypt.vm.cost-functions.a}\n  b { vcpus.hard: 24 }\n"
        "  c = ${ticrypt.vm.cost-functions.b} { offset: 5 }\n}\n"
    )
    functions = right(folder.read(main)).cost_functions
    assert functions["a"].vcpus == HardSoft(soft=8, hard=16)
    assert functions["b"].vcpus == functions["c"].vcpus == HardSoft(soft=8, hard=24)
    assert functions["c"].offset == 5
    assert functions["c"].memory == functions["a"].memory


def test_a_list_of_devices_grows(folder: Folder) -> None:
    """By += and by a substitution of itself."""
    main = (
        FUNCTION.replace("} }", "}, devices.gpu { curve: unavailable } }")
        + 'ticrypt.vm.hardware-profiles.p {\n cores: 1, memory: 4 GiB, cost-function: f\n devices: [ { type: gpu, addr: "1:0.0" } ]\n'
        ' devices += { type: gpu, addr: "2:0.0" }\n devices = ${ticrypt.vm.hardware-profiles.p.devices} [ { type: gpu, addr: "3:0.0" } ]\n}'
    )
    devices = right(folder.read(main)).hardware_profiles["p"].devices
    assert [str(device.address) for device in devices] == ["0000:01:00.0", "0000:02:00.0", "0000:03:00.0"]


def test_the_environment_is_what_substitutions_fall_back_to(folder: Folder) -> None:
    """Only where the files define nothing; an optional one may be missing."""
    main = "b: mine\nticrypt.vm.cost-functions.f { vms { curve: unavailable }, name: ${A} ${b} ${?missing}, description: ${?missing} }"
    function = right(folder.read(main, {"A": "outer", "b": "outer"})).cost_functions["f"]
    assert function.name == "outer mine "
    assert function.description == ""


def test_a_substitution_in_an_included_file_is_relative_to_it_first(folder: Folder) -> None:
    """And to the root second."""
    shared = "size: 2 GiB\nmemory { curve: hard-soft, soft: ${small}, hard: ${size} }"
    main = 'small: 1 GiB\nticrypt.vm.cost-functions.f { include "shared.conf", size: null }'
    reading = folder.read(main.replace(", size: null", ""), shared=shared)
    assert [found.message for found in reading.diagnostics] == [
        "unknown parameter 'size' of a cost function: it has no effect"
    ]
    assert reading.configuration is not None
    assert reading.configuration.cost_functions["f"].memory == HardSoft(soft=2**30, hard=2**31)


def test_includes_are_relative_to_the_including_file(folder: Folder) -> None:
    """required(), a missing extension, and folders above."""
    files = {"sub__a": 'include required("b")\n', "sub__b": 'include "../top.conf"', "top": FUNCTION}
    reading = folder.read('include "sub/a.conf"', **files)
    right(reading)
    assert list(reading.sources) == ["main.conf", "sub/a.conf", "sub/b.conf", "top.conf"]
    assert [path.name for path in reading.files] == ["main.conf", "a.conf", "b.conf", "top.conf"]
    assert reading.sources["top.conf"] == FUNCTION


def test_ids_may_have_dots_blanks_and_digits(folder: Folder) -> None:
    """In quotes; without them a dot is a path."""
    curve = "{ vms { curve: linear, slope: 1, base: 0 } }"
    functions = right(
        folder.read(f'ticrypt.vm.cost-functions {{ "a.b": {curve}, 7: {curve}, c d: {curve}, "": null }}')
    ).cost_functions
    assert list(functions) == ["a.b", "7", "c d"]
    assert functions["a.b"].vms == Linear(slope=1, base=0)


def test_all_mistakes_of_all_files_are_reported_in_one_go(folder: Folder) -> None:
    """A mistake of syntax hides only what follows it in its own file."""
    main = 'ticrypt.vm {\n cost-functions.f { vms: { curve: lineer } }\n realms.a = { include "a.conf" }\n realms.b = { include "b.conf" }\n}'
    a = 'driver: libvirt\nname: A\ndisabled: maybe\npoll-frequency: 5 mins\nname: "x\ndrives.cache: wrong\n'
    reading = folder.read(main, a=a, b="disabled: off\ndrives.lazy-allocation: off\nname: B\ndriver: nutanix\n")
    assert [(found.file, found.line) for found in reading.errors] == [
        ("main.conf", 2), ("a.conf", 3), ("a.conf", 4), ("a.conf", 5), ("b.conf", 4),
    ]  # fmt: skip
    assert reading.configuration is None


def test_a_value_that_came_through_an_include_names_both_places(folder: Folder) -> None:
    """The file with the mistake, and where it is included; once, however often it is included."""
    main = 'ticrypt.vm.cost-functions {\n a { include "f.conf" }\n b { include "f.conf" }\n}'
    (found,) = folder.read(main, f="vcpus:  { curve: hard-soft, soft: 3, hard: 2 }").diagnostics
    assert (found.file, found.line, found.column) == ("f.conf", 1, 44)
    assert found.path == "ticrypt.vm.cost-functions.a.vcpus.hard"
    assert "main.conf:2, main.conf:3" in found.hint
    assert "ticrypt.vm.cost-functions.b.vcpus.hard" in found.hint


def test_a_value_that_came_through_a_substitution_names_both_places(folder: Folder) -> None:
    """Where the value stands, and where it is used."""
    main = (
        f"size: 32 Gib\n{FUNCTION}ticrypt.vm.hardware-profiles.p {{ cores: 1, cost-function: f\n memory: ${{size}} }}"
    )
    (found,) = folder.read(main).diagnostics
    assert (found.file, found.line, found.path) == ("main.conf", 1, "ticrypt.vm.hardware-profiles.p.memory")
    assert "main.conf:4" in found.hint


@pytest.mark.parametrize(
    ("content", "line", "word"),
    [
        (b"a: 1\nb: \xff\n", 2, "0xff"), ("a: 1".encode("utf-16"), 1, "UTF-16"), (b"a: \xc3\n", 1, "0xc3"),
        (b"a: 1\nb: \xed\xa0\x80", 2, "0xed"), (b"a: 1\n\n\x00", 3, "NUL"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("included", [False, True])
def test_what_is_not_utf_8_is_reported_at_its_byte(
    folder: Folder, content: bytes, line: int, word: str, included: bool
) -> None:
    """In the main file and in included ones."""
    reading = folder.read('include "x.conf"' if included else content, x=content)
    (found,) = reading.errors
    assert (found.file, found.line) == ("x.conf" if included else "main.conf", line)
    assert word in found.message + found.hint


@pytest.mark.parametrize("name", ["missing.conf", "folder", "a\0b"])
def test_a_main_file_that_can_t_be_read_is_no_diagnostic(tmp_path: Path, name: str) -> None:
    """It raises UnreadableFile, which exits with 2."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(UnreadableFile) as caught:
        read(tmp_path / name, {})
    assert caught.value.exit_code == 2
    assert name.partition("\0")[0] in caught.value.message


def test_a_device_is_no_file(tmp_path: Path) -> None:
    """Nothing is read without an end, and no pipe is waited for."""
    (tmp_path / "main.conf").symlink_to("/dev/zero")
    with pytest.raises(UnreadableFile):
        read(tmp_path / "main.conf", {})


def test_loading_raises_with_all_diagnostics(folder: Folder) -> None:
    """ConfigurationInvalid carries the warnings as well."""
    folder.read("ticrypt.vm.cost-functions { a {}, b { vms: 5 } }")
    with pytest.raises(ConfigurationInvalid) as caught:
        load(folder.path / "main.conf", {})
    assert [found.severity for found in caught.value.diagnostics] == ["warning", "error"]
    assert "1 error" in caught.value.message


def deep(levels: int) -> str:
    """Nest piecewise curves."""
    curve = "{ curve: invalid }"
    for level in range(levels, 0, -1):
        curve = f"{{ curve: piecewise, cutoff: {level}, low: {{ curve: constant, value: {level} }}, high: {curve} }}"
    return f"ticrypt.vm.cost-functions.f.vms: {curve}"


def test_three_hundred_nested_curves_are_read_and_computed(folder: Folder) -> None:
    """Each level costs what it says."""
    function = right(folder.read(deep(300))).cost_functions["f"]
    assert [function.cost(Use(vms=vms)).total for vms in (1, 17, 300, 301)] == [1.0, 17.0, 300.0, math.inf]
    assert function == right(folder.read(deep(300))).cost_functions["f"]


@pytest.mark.parametrize(
    "text",
    [deep(1000), "a: " + "[" * 100_000, "a: " + "{ b: " * 100_000, "{" * 5000],
    ids=["curves", "lists", "blocks", "braces"],
)
def test_what_is_nested_past_the_limit_is_an_error_with_its_place(folder: Folder, text: str) -> None:
    """And no crash."""
    (found,) = folder.read(text).errors
    assert "more than 400 nested blocks" in found.message or "key" in found.message


def test_substitutions_that_double_each_other_end_soon(folder: Folder) -> None:
    """A few lines that would make millions of values."""
    lines = ["a0 = [x, x]", *(f"a{n + 1} = [${{a{n}}}, ${{a{n}}}]" for n in range(40))]
    assert "expand" in folder.read("\n".join(lines)).errors[0].message


def test_long_chains_of_substitutions_end_with_an_error(folder: Folder) -> None:
    """Each refers to the next, thousands of times."""
    lines = [f"a{n} = ${{a{n + 1}}}" for n in range(1000)]
    assert "a chain of more than" in folder.read("\n".join([*lines, "a1000: 1"])).errors[0].message


def test_five_hundred_functions_are_read_in_a_moment(folder: Folder) -> None:
    """Each with five curves, and each inherited once more."""
    curves = "vms { curve: linear, slope: 1, base: 0 }, memory { curve: hard-soft, soft: 1 GiB, hard: 2 GiB }"
    names = [f"f{number} {{ {curves} }}" for number in range(500)]
    assert len(right(folder.read("ticrypt.vm.cost-functions {\n" + "\n".join(names) + "\n}")).cost_functions) == 500


def test_several_threads_read_at_once(folder: Folder) -> None:
    """Deep files need a deep stack in every one of them."""
    folder.read(deep(200))
    found: list[int] = []

    def work() -> None:
        found.append(len(load(folder.path / "main.conf", {}).cost_functions))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1, 1, 1, 1]


def test_the_main_file_is_looked_for_in_order(tmp_path: Path) -> None:
    """The option, the variable, the first place that has one; else an error that names the places."""
    first, second = tmp_path / "a.conf", tmp_path / "b.conf"
    second.write_text("")
    assert find_configuration(first, {"REALMS_CONFIG": "x"}, (second,)) == first
    assert str(find_configuration(None, {"REALMS_CONFIG": "x.conf"}, (second,))) == "x.conf"
    assert find_configuration(None, {}, (first, second)) == second
    with pytest.raises(UnreadableFile) as caught:
        find_configuration(None, {"REALMS_CONFIG": ""}, (first,))
    assert "a.conf" in caught.value.message


@pytest.mark.parametrize(
    ("written", "addresses"),
    [
        ("devices.0 { type: t, addr: '1' }\ndevices.1 { type: t, addr: '2' }", [1, 2]),
        ("devices { 10: { type: t, addr: '1' }, 9: { type: t, addr: '2' } }", [2, 1]),
        ("devices.07 { type: t, addr: '1' }\ndevices.3 { type: t, addr: '2' }", [2, 1]),
        ("devices.1 { type: t, addr: '1' }\ndevices.x { type: t, addr: '2' }", [1]),
        ("devices.0 { type: t }\ndevices.0.addr: '1'", [1]),
    ],
)
def test_numbers_as_keys_make_a_list(folder: Folder, written: str, addresses: list[int]) -> None:
    """As for the reference reader: in the order of the numbers; with a warning."""
    for number in (1, 2):
        written = written.replace(f"'{number}'", f'"0000:0{number}:00.0"')
    function = FUNCTION.replace("{ memory", "{ devices.t: { curve: linear, slope: 1, base: 0 }, memory", 1)
    profile = f"ticrypt.vm.hardware-profiles.p {{ cores: 1, memory: 2 GiB, cost-function: f\n{written} }}\n"
    reading = folder.read(function + profile)
    assert reading.configuration is not None, reading.diagnostics
    assert "has numbers as keys" in reading.diagnostics[0].message
    assert [device.address.bus for device in reading.configuration.hardware_profiles["p"].devices] == addresses
