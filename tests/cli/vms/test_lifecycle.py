"""`realms vms create`, `start`, `off`, `delete`, `recover`, as one types them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.clock import SystemClock
from core.driver.xml.metadata import RealmMark
from core.operations.tasks.journal import Journal
from core.registry.hosts import HostRegistry
from tests.cli.program import runner
from tests.driver.worlds import Guest
from tests.operations.vms.world import MIB, world
from tests.terminal import terminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.program import Outcome

UUID = "11111111-2222-4333-8444-555555555555"
GUESTS = (
    Guest(name="mine", network="default", mark=RealmMark(realm="main"), memory_mib=64),
    Guest(name="theirs", mac="52:54:00:00:00:02"),
    Guest(name="off", mac="52:54:00:00:00:03", mark=RealmMark(realm="main"), state="shutoff", network="default"),
)
SMALL = ("--brick", "debian", "--vcpus", 1, "--memory", "64 MiB", "--realm", "main")


@pytest.fixture
def run(
    tmp_path: Path, door: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Outcome]:
    """Return a function that runs a command on hosts as they are written: each command finds them as at the start."""
    with world(tmp_path, guests=(GUESTS,), door=door):
        pass
    monkeypatch.setenv("REALMS_CONFIG", str(tmp_path / "ticrypt-vm.conf"))
    monkeypatch.setenv("REALMS_REGISTRY", str(tmp_path / "registry.json"))
    monkeypatch.setenv("REALMS_TRACEBACK", "1")
    return runner(monkeypatch, capsys)


def test_create_tells_all_about_the_vm(run: Callable[..., Outcome]) -> None:
    """In the style of the other documents: bytes, canonical addresses, the verdicts of all hosts."""
    document = run("vms", "create", "web", *SMALL, "--device", "gpu", "--drive", "16 MiB", "--json").json
    uuid = document["uuid"]
    assert (document["created"], document["host"], document["registered"]) == (True, "h2", True)
    assert document["placement"]["devices"] == ["0000:41:00.0"]
    assert document["boot_volume"] == f"web-{uuid[:8]}.qcow2"
    assert document["drives"] == [f"web-drive1-{uuid[:8]}.qcow2"]
    assert document["endpoint"] == document["vm"]["endpoint"]
    assert (document["vm"]["memory"], document["vm"]["managed"]) == (64 * MIB, True)
    assert [verdict["host"] for verdict in document["verdicts"]] == ["h2", "h1"]


def test_create_says_in_words_what_it_did(run: Callable[..., Outcome]) -> None:
    """The result on standard output, the steps on standard error."""
    done = run("vms", "create", "web", *SMALL, "--host", "h1")
    assert done.code == 0
    assert done.out.startswith("web: h1, UUID ")
    assert "registered after" in done.out
    assert "h1: make overlay web-" in done.err


def test_create_explains_a_refusal(run: Callable[..., Outcome]) -> None:
    """As a document, and as a table of all hosts with their reasons."""
    wanted = ("vms", "create", "web", "--brick", "debian", "--vcpus", 1, "--memory", "64 GiB", "--realm", "main")
    refused = run(*wanted, "--json")
    assert refused.code == 1
    assert (refused.json["created"], refused.json["vm"]) == (False, None)
    assert [verdict["refusal"]["why"] for verdict in refused.json["verdicts"]] == ["cost-infinite"] * 2
    told = run(*wanted)
    assert (told.code, told.out.count("cost-infinite")) == (1, 2)
    assert told.err.count("no host can take web") == 1
    assert "past the limit" in told.out
    assert "past the limit" not in told.err  # once is enough


def test_create_says_what_would_make_the_refused_hosts_take_the_vm(run: Callable[..., Outcome]) -> None:
    """Each way on a line; of the one host only, where no other would do."""
    wanted = ("vms", "create", "web", "--brick", "debian", "--vcpus", 1, "--memory", "64 GiB", "--realm", "main")
    told = run(*wanted)
    assert "WOULD TAKE IT" in told.out
    assert told.out.count("request at most") == 2
    document = run(*wanted, "--host", "h2", "--json").json
    (remedy,) = document["remedies"]
    assert (remedy["host"], remedy["fits_then"]) == ("h2", False)
    assert 0 < remedy["ask"]["memory"] < 64 * 2**30


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("create", "web", *SMALL, "--drive", "512 KiB"), 2, "less than drives.min-size"),
        (("create", "web", *SMALL, "--drive", "nothing"), 2, "no drive 'nothing'"),
        (("create", "a/b", *SMALL), 2, "is not a valid VM"),
        (("create", "web", *SMALL, "--memory", "96"), 2, "96 is bytes; did you mean '96 MiB'?"),
        (("create", "web", *SMALL, "--memory", "96 KiB"), 2, "96 KiB is less than 1 MiB"),
        (("create", "web", *SMALL, "--memory", "0"), 2, "0 is less than 1 MiB"),
        (("create", "theirs", *SMALL), 1, "has a foreign VM theirs on h1"),
        (("create", "web", *SMALL[:-1], "nowhere"), 2, "no realm 'nowhere'"),
        (("create", "web", *SMALL, "--host", "h9"), 2, "no host 'h9'"),
        (("create", "web", *SMALL, "--read-only"), 2, "read-only"),
        (("off", "theirs"), 1, "h1/theirs is foreign"),
        (("off", "nobody"), 2, "no VM 'nobody'"),
        (("off",), 2, "VM..."),
        (("delete", "mine"), 1, "h1/mine: active"),
        (("delete", "off", "--read-only"), 2, "read-only"),
    ],
)
def test_what_can_not_be_done_is_told_on_standard_error(
    run: Callable[..., Outcome], words: tuple[object, ...], code: int, message: str
) -> None:
    """With the exit code of the contract: 2 for what makes no sense, 1 for no."""
    done = run("vms", *words)
    assert (done.code, done.out) == (code, "")
    assert message in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("create", "theirs", *SMALL), {"created": False, "vm": None, "name": "theirs"}),
        (("delete", "mine", "off"), {"action": "delete", "ok": False}),
        (("off", "theirs"), {"error": "h1/theirs is foreign: realm main did not create it", "code": "foreign-vm"}),
        (
            ("attach-drive", "theirs", "data"),
            {"error": "h1/theirs is foreign: realm main did not create it", "code": "foreign-vm"},
        ),
    ],
)
def test_who_wants_a_document_gets_one_also_where_the_answer_is_no(
    run: Callable[..., Outcome], words: tuple[object, ...], expected: dict[str, object]
) -> None:
    """One document, whatever comes of it, and the message for people beside it."""
    refused = run("vms", *words, "--json")
    assert (refused.code, refused.json | expected) == (1, refused.json)
    assert refused.err


def test_what_makes_no_sense_has_no_document(run: Callable[..., Outcome]) -> None:
    """Exit code 2 says that nothing was asked."""
    assert (run("vms", "off", "nobody", "--json").code, run("vms", "off", "nobody", "--json").out) == (2, "")


def test_several_vms_are_changed_by_one_command(run: Callable[..., Outcome]) -> None:
    """Each has its row; a VM that fails makes the exit code 1 and hinders no other."""
    done = run("vms", "pause", "mine", "off", "h1/theirs", "--foreign", "--json")
    assert done.code == 1
    assert [(vm["name"], vm["ok"], vm["state"]) for vm in done.json["vms"]] == [
        ("mine", True, "paused"), ("off", False, None), ("theirs", True, "paused"),
    ]  # fmt: skip
    assert done.json["ok"] is False
    assert "warning: h1/theirs is foreign" in done.err


def test_a_stopped_vm_is_started_and_registers(run: Callable[..., Outcome]) -> None:
    """The words say where and how it is."""
    done = run("vms", "start", "off")
    assert (done.code, done.out) == (0, "h1/off: running\n")


def test_a_list_waits_for_the_addresses(run: Callable[..., Outcome]) -> None:
    """They are looked up after the first answer of a host; a list that is quicker would lose some at random."""
    for _ in range(5):
        listed = {vm["name"]: vm for vm in run("vms", "list", "--json").json["vms"]}
        assert listed["mine"]["address"].startswith("192.168.122.")
        assert listed["mine"]["endpoint"].startswith("127.0.0.1:")


def test_a_deletion_tells_what_stays(run: Callable[..., Outcome]) -> None:
    """A VM without disks leaves nothing."""
    document = run("vms", "delete", "off", "--json").json
    assert document["vms"][0]["ok"] is True
    assert document["vms"][0]["kept_volumes"] == []


def test_recover_tells_a_script_and_does_nothing_without_yes(run: Callable[..., Outcome], tmp_path: Path) -> None:
    """The exit code says whether anything is left; the list of VMs mentions it too."""
    assert run("vms", "recover", "--json").json == {"left_behind": []}
    registry = HostRegistry(tmp_path / "registry.json")
    entry = Journal(registry.path, SystemClock()).begin("create", vm="web", uuid=UUID, realm="main")
    entry.step("volume", host="h1", pool="ticrypt-vm", volume="web-1.qcow2")
    entry.leave()
    told = run("vms", "recover", "--json")
    (row,) = told.json["left_behind"]
    assert (told.code, row["vm"], row["plan"], row["done"]) == (1, "web", "remove", None)
    assert row["volumes"] == ["ticrypt-vm/web-1.qcow2"]
    assert "interrupted: create web" in run("vms", "list").out
    told = run("vms", "recover")
    assert (told.code, told.err) == (1, "nothing was changed; use --yes to clean up\n")
    done = run("vms", "recover", "--yes", "--json")
    assert (done.code, done.json["left_behind"][0]["done"]) == (0, "remove")
    assert run("vms", "recover").out == "nothing to clean up\n"


def test_recover_leaves_alone_what_another_machine_may_be_doing(run: Callable[..., Outcome], tmp_path: Path) -> None:
    """Only --force takes it over."""
    registry = HostRegistry(tmp_path / "registry.json")
    journal = Journal(registry.path, SystemClock())
    journal.begin("create", vm="web", uuid=UUID, realm="main").leave()
    (path,) = journal.folder.iterdir()
    path.write_text(path.read_text().replace('"machine": "', '"machine": "0'))
    told = run("vms", "recover", "--yes", "--json")
    (row,) = told.json["left_behind"]
    assert (told.code, row["plan"], row["done"], row["code"]) == (1, "unknown", None, "still-at-work")
    assert "interrupted" not in run("vms", "list").out
    done = run("vms", "recover", "--yes", "--force", "--json")
    assert (done.code, done.json["left_behind"][0]["error"]) == (0, None)
    assert run("vms", "recover").out == "nothing to clean up\n"


def test_recover_says_in_words_what_it_did(run: Callable[..., Outcome], tmp_path: Path) -> None:
    """And not by the name of its plan."""
    journal = Journal(HostRegistry(tmp_path / "registry.json").path, SystemClock())
    journal.begin("create", vm="web", uuid=UUID, realm="main").leave()
    assert run("vms", "recover", "--yes").out.endswith("web: nothing left to clean up; record dropped\n")


def test_a_message_names_a_vm_once(run: Callable[..., Outcome]) -> None:
    """Many begin with its name already."""
    told = run("vms", "pause", "off")
    lines = [line for line in told.err.splitlines() if "nothing to pause" in line]
    assert lines == ["h1/off is off: nothing to pause"]


def test_recover_changes_nothing_where_nothing_may_be_changed(run: Callable[..., Outcome], tmp_path: Path) -> None:
    """Also where there would be nothing to do; read-only it still tells."""
    refused = run("vms", "recover", "--yes", "--read-only")
    assert (refused.code, refused.out) == (2, "")
    assert "read-only mode" in refused.err
    assert run("vms", "recover", "--read-only").out == "nothing to clean up\n"
    saved = tmp_path / "fleet.json"
    assert run("fleet", "save", saved).code == 0
    for words in ((), ("--yes",)):
        refused = run("vms", "recover", *words, "--fleet", saved)
        assert (refused.code, refused.out) == (2, "")
        assert "saved fleet" in refused.err


@pytest.mark.parametrize(("answer", "said"), [("n", "nothing was changed"), ("y", "h1/mine: shut off")])
def test_destructive_commands_ask_on_a_terminal(
    run: Callable[..., Outcome], tmp_path: Path, answer: str, said: str
) -> None:
    """And only there."""
    places = {"REALMS_CONFIG": tmp_path / "ticrypt-vm.conf", "REALMS_REGISTRY": tmp_path / "registry.json"}
    with terminal(tmp_path, "vms", "off", "mine", environment={k: str(v) for k, v in places.items()}) as screen:
        screen.wait_for("Force off h1/mine?")
        screen.press(answer, "Enter")
        screen.wait_for(said)
        assert screen.wait_for_end() == (0 if answer == "y" else 1)


def test_recover_deletes_volumes_unasked_only_where_that_is_said(run: Callable[..., Outcome], tmp_path: Path) -> None:
    """A host is disabled: a VM there may have them."""
    registry = HostRegistry(tmp_path / "registry.json")
    volumes = [{"pool": "ticrypt-bricks", "volume": "debian.qcow2"}]
    entry = Journal(registry.path, SystemClock()).begin(
        "delete", vm="web", uuid=UUID, realm="main", host="h1", volumes=volumes
    )
    entry.leave()
    run("hosts", "disable", "h2")
    refused = run("vms", "recover", "--yes")
    assert refused.code == 1
    assert "not asked: h2: the host is disabled" in refused.err
    assert "realms vms recover --unasked" in refused.err
    done = run("vms", "recover", "--yes", "--unasked")
    assert done.code == 0
    assert "deleted anyway; not asked: h2" in done.err
