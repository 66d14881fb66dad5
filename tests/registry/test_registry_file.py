"""The registry's file: modes, copies, damage, and places where it can't be written."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from core.errors import RegistryBusy, UnreadableFile, UnwritableFile
from core.hosts import HostState
from core.registry.hosts import HostRegistry

WORKER = Path(__file__).with_name("worker.py")
NOBODY = 65534
GROUP = 64242

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="plays several users")


@contextlib.contextmanager
def as_nobody():
    """Have the rights of a user who owns nothing."""
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def mode(path):
    """Give a file's permissions."""
    return stat.S_IMODE(path.stat().st_mode)


def worker(*arguments, group=None):
    """Run an action in a process of its own; as nobody in a group where one is given."""
    return subprocess.run(
        [sys.executable, WORKER, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=os.environ | ({"AS_NOBODY_IN": str(group)} if group else {}),
    )


@pytest.fixture
def shared_folder():
    """Make a folder that other users can reach, as those of pytest can't."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_new_registry_is_its_owners_alone_whatever_the_umask(registry, configuration, host):
    """The file and its lock can be read by nobody else."""
    before = os.umask(0)
    try:
        registry.add(host("h1"), configuration)
    finally:
        os.umask(before)
    assert mode(registry.path) == 0o600
    assert mode(registry.path.with_name("registry.json.lock")) == 0o600


def test_missing_folders_are_made_for_the_owner_alone(tmp_path, configuration, host):
    """The default place of a first start doesn't exist yet."""
    registry = HostRegistry(tmp_path / "data" / "realms" / "registry.json")
    registry.add(host("h1"), configuration)
    assert mode(tmp_path / "data" / "realms") == 0o700


@needs_root
def test_a_file_prepared_for_a_group_keeps_owner_group_and_mode(registry, configuration, host):
    """`install -m 660 -g admins /dev/null registry.json` is how to share it from the start."""
    registry.path.touch()
    registry.path.chmod(0o660)
    os.chown(registry.path, NOBODY, GROUP)
    registry.add(host("h1"), configuration)
    registry.set_state("h1", HostState.DISABLED)
    for path in (registry.path, registry.path.with_name("registry.json.1")):
        assert (path.stat().st_uid, path.stat().st_gid, mode(path)) == (NOBODY, GROUP, 0o660)
    lock = registry.path.with_name("registry.json.lock")
    assert (lock.stat().st_gid, mode(lock)) == (GROUP, 0o660)


@needs_root
def test_a_member_of_the_group_can_change_a_shared_registry_and_root_still_can(shared_folder, configuration, host):
    """Group and group mode outlive a change by somebody else."""
    registry = HostRegistry(shared_folder / "registry.json")
    registry.add(host("h1"), configuration)
    os.chown(shared_folder, -1, GROUP)
    shared_folder.chmod(0o2775)
    os.chown(registry.path, -1, GROUP)
    registry.path.chmod(0o660)
    registry.set_state("h1", HostState.NO_SCHEDULING)
    done = worker("disable", registry.path, "h1", group=GROUP)
    assert (done.returncode, done.stderr) == (0, "")
    assert registry.host("h1").state is HostState.DISABLED
    assert (registry.path.stat().st_gid, mode(registry.path)) == (GROUP, 0o660)
    registry.set_state("h1", HostState.ENABLED)
    assert (registry.path.stat().st_gid, mode(registry.path)) == (GROUP, 0o660)


@needs_root
@pytest.mark.parametrize(("file_mode", "folder_mode"), [(0o644, 0o777), (0o666, 0o755)])
def test_a_file_or_folder_without_write_permission_is_respected(
    shared_folder, configuration, host, file_mode, folder_mode
):
    """The message says what is missing, and the file stays as it was."""
    registry = HostRegistry(shared_folder / "registry.json")
    registry.add(host("h1"), configuration)
    registry.path.chmod(file_mode)
    registry.path.with_name("registry.json.lock").chmod(0o666)
    shared_folder.chmod(folder_mode)
    before = registry.path.read_bytes()
    done = worker("disable", registry.path, "h1", group=NOBODY)
    assert done.returncode == 2
    assert "UnwritableFile" in done.stderr
    assert "ermission denied" in done.stderr
    assert registry.path.read_bytes() == before


@needs_root
def test_a_registry_that_may_not_be_read_says_so(shared_folder, configuration, host):
    """It is not taken for an empty one."""
    registry = HostRegistry(shared_folder / "registry.json")
    registry.add(host("h1"), configuration)
    done = worker("list", registry.path, group=NOBODY)
    assert done.returncode == 2
    assert "can't be read: Permission denied" in done.stderr
    with pytest.raises(UnreadableFile) as caught, as_nobody():
        registry.hosts()
    assert f"chgrp GROUP {shared_folder} {registry.path}" in caught.value.hint
    os.chown(registry.path, -1, 0)
    registry.path.chmod(0o640)
    with pytest.raises(UnreadableFile) as caught, as_nobody():
        registry.hosts()
    assert "usermod -aG root" in caught.value.hint


def test_a_file_that_outgrows_its_limit_is_left_as_it_was(registry, configuration, host):
    """As on a full disk: the message says so, copies stay in order, no half file is left."""
    registry.add(host("h1"), configuration)
    registry.set_state("h1", HostState.DISABLED)
    before = {path.name: path.read_bytes() for path in registry.path.parent.iterdir()}
    done = worker("limited", registry.path, "h1")
    assert (done.returncode, "File too large; it is unchanged" in done.stderr) == (2, True), done.stderr
    assert {path.name: path.read_bytes() for path in registry.path.parent.iterdir()} == before


def test_three_former_contents_are_kept_and_unchanged_ones_are_not(registry, configuration, host):
    """`.1` is the newest; saying the same again moves nothing."""
    for name in ("h1", "h2", "h3", "h4", "h5"):
        registry.add(host(name), configuration)
        registry.set_state(name, HostState.ENABLED)
    copies = [HostRegistry(registry.path.with_name(f"registry.json.{number}")) for number in (1, 2, 3, 4)]
    assert [[stored.name for stored in copy.hosts()] for copy in copies] == [
        ["h1", "h2", "h3", "h4"],
        ["h1", "h2", "h3"],
        ["h1", "h2"],
        [],
    ]


def test_reservations_do_not_push_out_the_copies_of_the_hosts(registry, configuration, host):
    """They change every few seconds, and nobody needs old ones."""
    from core.reservations import Reservation

    registry.add(host("h1"), configuration)
    with registry.transaction() as changes:
        changes.reserve(Reservation(uuid="u", vm="v", host="h1", vcpus=1, memory_bytes=1, owner="me"))
    assert registry.reservations()
    assert not registry.path.with_name("registry.json.1").exists()


def test_a_symbolic_link_is_written_through(tmp_path, configuration, host):
    """The link stays one, and both names share a lock."""
    (tmp_path / "real").mkdir()
    link = tmp_path / "registry.json"
    link.symlink_to("real/the.json")
    registry = HostRegistry(link)
    registry.add(host("h1"), configuration)
    stamp = registry.stamp()
    HostRegistry(tmp_path / "real" / "the.json").set_state("h1", HostState.DISABLED)
    assert link.is_symlink()
    assert registry.stamp() != stamp
    assert registry.host("h1").state is HostState.DISABLED
    assert sorted(path.name for path in tmp_path.iterdir()) == ["real", "registry.json"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"registry": {"1": {"format": "libvirt-re', "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"a": ' + b"1" * 5000 + b"}", "not JSON"),
        (b"[]", "no format"),
        (b"{}", "no format"),
        (b'{"_default": {"1": {"name": "x"}}}', "no format"),
        (b'{"registry": {"1": {"format": "libvirt-realms-fleet/1", "changes": 1}}}', "no format"),
        (b"", "empty"),
    ],
)
def test_a_damaged_file_is_an_error_that_names_the_newest_good_copy(registry, configuration, host, content, message):
    """Neither reading nor changing takes it for an empty registry."""
    for name in ("h1", "h2", "h3"):
        registry.add(host(name), configuration)
    registry.path.with_name("registry.json.1").write_bytes(b"also damaged")
    registry.path.write_bytes(content)
    for attempt in (registry.hosts, lambda: registry.add(host("h9"), configuration)):
        with pytest.raises(UnreadableFile, match=message) as refusal:
            attempt()
        assert "the newest good copy is" in refusal.value.hint
        assert f"realms --registry {registry.path} registry restore" in refusal.value.hint
    assert registry.path.read_bytes() == content


def damaged(**fields):
    """Make the table of one host with wrong fields."""
    stored = {"name": "h1", "realm": "r", "uri": "u", "profile": "p", "state": "enabled", "static_address": None}
    return {"hosts": {"1": stored | {"version": 1} | fields}}


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        (damaged(state="on"), "host 1: 'on' is not a valid HostState"),
        (damaged(name=7), "host 1: name is not a text"),
        (damaged(static_address={"address": "203.0.113.7", "base_port": 65500}), "base port 65500 is out of range"),
        (damaged(static_address="203.0.113.7:7000"), "static_address is not an address and port"),
        (damaged(version=9), "number of changes"),
        (damaged(version=True), "version is not a whole number"),
        ({"hosts": {"1": {"name": "h1"}}}, "host 1 has no realm"),
        ({"hosts": {"1": damaged()["hosts"]["1"], "2": damaged()["hosts"]["1"]}}, "two hosts are named 'h1'"),
        ({"hosts": {"one": {}}}, "'one' in hosts is not a numbered document"),
        ({"hosts": []}, "hosts is not a table"),
        ({"reservations": {"1": {"uuid": "u", "devices": ["x"]}}}, "reservation 1"),
    ],
)
def test_a_slip_of_an_editor_is_named(registry, tables, message):
    """People do open the file by hand."""
    about = {"registry": {"1": {"format": "libvirt-realms-registry/1", "changes": 3}}}
    registry.path.write_text(json.dumps(about | tables))
    with pytest.raises(UnreadableFile, match=message) as refusal:
        registry.hosts()
    assert "no good copy" in refusal.value.hint


def test_a_file_of_a_newer_program_is_neither_read_nor_overwritten(registry, configuration, host):
    """It is not called damaged: the program is too old for it."""
    registry.path.write_text('{"registry": {"1": {"format": "libvirt-realms-registry/2"}}, "hosts": 7}')
    before = registry.path.read_bytes()
    for attempt in (registry.hosts, lambda: registry.add(host("h1"), configuration)):
        with pytest.raises(UnreadableFile, match="newer program: format 2"):
            attempt()
    assert registry.path.read_bytes() == before


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["folder", "pipe"])
def test_what_is_no_file_is_refused_without_waiting(registry, make):
    """A pipe in the registry's place doesn't hang the program."""
    make(registry.path)
    with pytest.raises(UnreadableFile, match="can't be read"):
        registry.hosts()


def test_a_loop_of_links_is_refused(registry):
    """The message names the file."""
    registry.path.symlink_to(registry.path)
    with pytest.raises(UnreadableFile, match=r"registry.json can't be read"):
        registry.hosts()


def test_fields_that_are_not_known_are_kept(registry, configuration, host):
    """An addition of a later program of the same format survives a change by this one."""
    registry.add(host("h1"), configuration)
    tables = json.loads(registry.path.read_text())
    tables["hosts"]["1"]["rack"] = "b7"
    registry.path.write_text(json.dumps(tables))
    registry.set_state("h1", HostState.DISABLED)
    assert json.loads(registry.path.read_text())["hosts"]["1"]["rack"] == "b7"


def test_a_lock_held_too_long_is_an_error_that_names_lock_and_holder(registry, configuration, host):
    """Readers are not kept waiting by it."""
    registry.add(host("h1"), configuration)
    impatient = HostRegistry(registry.path, lock_deadline=0.1)
    with subprocess.Popen(
        [sys.executable, WORKER, "hold", registry.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(RegistryBusy, match=rf"locked by process {holder.pid} \(.*hold.*registry.json.lock"):
            impatient.set_state("h1", HostState.DISABLED)
        assert impatient.host("h1").state is HostState.ENABLED
        holder.communicate("")
    impatient.set_state("h1", HostState.DISABLED)


def test_a_folder_that_can_not_be_made_is_an_error(tmp_path, configuration, host):
    """A file stands where a folder should be."""
    (tmp_path / "file").touch()
    registry = HostRegistry(tmp_path / "file" / "registry.json")
    with pytest.raises(UnwritableFile, match="cannot lock"):
        registry.add(host("h1"), configuration)
