"""Who uses a volume, against a model of what truly lies where: files on file systems, which hosts mount at paths."""

from __future__ import annotations

import posixpath
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.driver.storage.volumes import Volume
from core.driver.vms.disks import DomainDisks
from core.operations.storage.policy import Allow, VolumeInUse, VolumeUsers, VolumeUseUnknown, ensure_unused, say_in_use
from core.operations.storage.pool_report import PoolRole
from core.operations.storage.users import UseKind, Users, wanted
from tests.operations.storage.users_model import (
    BRICKS_FOLDER,
    FOLDERS,
    SIZE,
    WANTED,
    Disk,
    File,
    Machine,
    Model,
    Node,
    Pool,
    Truth,
    truths,
)

MANY = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@MANY
@given(truths())
def test_what_is_told_is_what_the_model_says(truth: Truth) -> None:
    """Each VM and each overlay, once, and as certain as it can be; and the silent hosts that may have others."""
    users, model = truth.users(), Model(truth)
    told = [
        (user.realm or "main", user.pool, user.name) if user.kind is UseKind.OVERLAY else (user.host, user.name)
        for user in users
    ]
    assert len(told) == len(set(told))
    certain = {key: "certain" if user.certain else "possible" for key, user in zip(told, users, strict=True)}
    assert certain == model.machines() | model.overlays()
    assert set(truth.unasked()) == model.silent()
    assert [user.certain for user in users] == sorted((user.certain for user in users), reverse=True)


@MANY
@given(truths())
def test_what_is_truly_used_is_never_free(truth: Truth) -> None:
    """Whatever a VM of the realm's hosts calls it, and in other realms by what can be known: its path, or an export."""
    told = {(user.host, user.name): user for user in truth.users()}
    model = Model(truth)
    for node in truth.nodes:
        for vm in node.machines if node.answers else ():
            for path in map(node.path, vm.disks):
                folder = posixpath.dirname(path)
                exported = any(node.export(pool) in model.exports for pool in node.pools if pool.folder == folder)
                knowable = node.realm == "main" or folder in model.folders or exported
                if node.truly(path) == WANTED and knowable:
                    assert (node.name, vm.name) in told


@MANY
@given(truths())
def test_what_is_certain_of_another_realm_is_true(truth: Truth) -> None:
    """Its hosts may mount other storage at the same path."""
    for node in truth.nodes:
        for vm in node.machines if node.answers and node.realm != "main" else ():
            if any((user.host, user.name, user.certain) == (node.name, vm.name, True) for user in truth.users()):
                assert WANTED in {node.truly(node.path(disk)) for disk in vm.disks}


@MANY
@given(truths(), st.booleans(), st.booleans())
def test_nothing_in_use_may_go_and_no_doubt_is_passed_over_unsaid(truth: Truth, possible: bool, unasked: bool) -> None:
    """Certain users stay whatever is allowed; a silent host is a doubt always; what nobody can reach is free."""
    model, found = Model(truth), [VolumeUsers("volume x", truth.users())]
    verdicts = {*model.machines().values(), *model.overlays().values()}
    silent = model.silent()
    allow = Allow(possible=possible, unasked=unasked)
    if "certain" in verdicts:
        with pytest.raises(VolumeInUse):
            ensure_unused(found, truth.unasked(), allow)
    elif (silent and not unasked) or ("possible" in verdicts and not possible):
        with pytest.raises(VolumeUseUnknown) as caught:
            ensure_unused(found, truth.unasked(), allow)
        assert unasked or all(name in caught.value.message for name in silent)
    else:
        passed = "; ".join(ensure_unused(found, truth.unasked(), allow))
        assert bool(passed) == bool(verdicts or silent)
        assert all(name in passed for name in silent)


@MANY
@given(truths())
def test_a_volume_that_is_shared_between_vms_that_are_off_is_kept_from_those_that_run(truth: Truth) -> None:
    """A drive may belong to two VMs, but not while one of them runs; overlays hold it always."""
    users = truth.users()
    found, allow = [VolumeUsers("drive x", users)], Allow(off=True, possible=True, unasked=True)
    held = [user for user in users if user.certain and (user.kind is UseKind.OVERLAY or user.active)]
    if held:
        with pytest.raises(VolumeInUse):
            ensure_unused(found, truth.unasked(), allow)
    else:
        passed = "; ".join(ensure_unused(found, truth.unasked(), allow))
        assert all(str(user) in passed for user in users if user.certain or user.active)
    assert bool(say_in_use(found, off=False)) == bool(held)


def node(name: str, realm: str, *pools: Pool, machines: tuple[Machine, ...] = (), **mounts: str) -> Node:
    """Describe a host that mounts A at /p/vm and C elsewhere, unless other `mounts` are given by their number."""
    found = dict.fromkeys(FOLDERS, "C") | {"/p/vm": "A", BRICKS_FOLDER: "B"}
    return Node(name, realm, found | {FOLDERS[int(key[1:])]: system for key, system in mounts.items()}, pools, machines)


VOLUMES = Pool("vm", "/p/vm", netfs=False, role=PoolRole.VOLUMES)
THEIRS = Pool("vm", "/p/vm", netfs=False)
HAVING = (Machine("db", active=True, disks=(Disk("x", "/p/vm"),)),)


@pytest.mark.parametrize(("mounted", "size", "certain"), [("A", SIZE, True), ("C", SIZE, False), ("C", 2 * SIZE, None)])
def test_the_same_path_in_another_realm_is_told_by_what_lies_there(
    mounted: str, size: int, certain: bool | None
) -> None:
    """The same file, another of the same size that may have been changed since, or surely another."""
    files = {("A", "x"): File(SIZE, 1.0), ("C", "x"): File(size, 2.0)}
    truth = Truth(files, (node("h1", "main", VOLUMES), node("far", "other", THEIRS, machines=HAVING, _0=mounted)))
    assert [user.certain for user in truth.users()] == ([] if certain is None else [certain])


def test_an_overlay_is_as_certain_as_the_host_that_is_surest_of_it() -> None:
    """One host sees the path below it in no pool, another where the volume is."""
    files = {("A", "x"): File(SIZE, 1.0), ("A", "over"): File(SIZE, 2.0, backing="/srv/link/x")}
    linked = Pool("extra", "/srv/link", netfs=True, looked=False)
    hosts = (node("h1", "main", VOLUMES), node("h2", "main", replace(VOLUMES, netfs=True), linked, _3="A"))
    for order in (hosts, hosts[::-1]):
        (user,) = Truth(files, order).users()
        assert (user.kind, user.certain) == (UseKind.OVERLAY, True)


def test_overlays_of_one_name_in_two_realms_are_two() -> None:
    """Each realm has a pool of that name."""
    files = {("A", "x"): File(SIZE, 1.0), ("C", "over"): File(SIZE, 2.0, backing="/p/vm/x")}
    theirs = Pool("bricks", BRICKS_FOLDER, netfs=False)
    far = [node(f"far{realm}", realm, THEIRS, theirs, _2="C") for realm in ("other", "third")]
    users = Truth(files, (node("h1", "main", VOLUMES), *far)).users()
    assert [(user.realm, user.pool, user.certain) for user in users] == [
        ("other", "bricks", True),
        ("third", "bricks", True),
    ]


def test_a_disk_that_may_be_based_on_anything_is_a_doubt_for_bricks() -> None:
    """It lies in no pool, and no definition says what it is an overlay of; in a pool its list would."""
    files = {("A", "x"): File(SIZE, 1.0), ("B", "golden"): File(SIZE, 2.0), ("A", "y"): File(SIZE, 3.0)}
    bricks = Pool("bricks", BRICKS_FOLDER, netfs=False, role=PoolRole.BRICKS)
    truth = Truth(files, (node("h1", "main", VOLUMES, bricks, _2="B"),))
    brick = next(volume for _, volume in truth.facts.told[0].volumes() if volume.name == "golden")

    def users(volume: Volume, *paths: str) -> list[tuple[str, bool]]:
        disks = DomainDisks(name="lost", uuid="u", active=False, files=frozenset(paths), open_chains=frozenset(paths))
        facts = replace(truth.facts, told=(replace(truth.facts.told[0], domains=(disks,)),))
        return [(str(user), user.certain) for user in Users(facts).of(wanted(facts, volume))]

    (found,) = users(brick, "/srv/clone.qcow2")
    assert found == ("VM h1/lost (off, possibly: it has /srv/clone.qcow2, based on an unknown file)", False)
    assert users(brick, f"{VOLUMES.folder}/y") == users(truth.volume, "/srv/clone.qcow2") == []
