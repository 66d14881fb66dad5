"""Pools on real hosts: set up, proven to be shared; and steps failing."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from core.config.reader import load
from core.diagnostics import Severity
from core.driver.storage.pool_setup import Permissions, PoolType
from core.errors import Cancelled, HostTimeout
from core.fleet.fleet import PoolState
from core.operations.doctor.doctor import diagnose
from core.operations.session import Session
from core.operations.storage.policy import VolumeInUse
from core.operations.storage.pool_removal import PoolsNotRemoved, remove_pools
from core.operations.storage.pool_report import PoolRole
from core.operations.storage.pools import PoolRequest, PoolsNotSetUp, look_at_pools, set_up_pools
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Progress
from core.registry.hosts import HostRegistry
from tests.driver.worlds import LONG

from .parts.guests import Boot
from .parts.realm import write_configuration, write_registry
from .parts.storage import OTHER, REALM, Work

if TYPE_CHECKING:
    from pathlib import Path

    from core.operations.tasks.task import Control


def test_pools_are_set_up_on_all_hosts_at_once_and_proven_to_be_shared(work: Work) -> None:
    """Defined, built, started, with autostart; a second run finds nothing to do."""
    base = f"{work.lab.shared}/base"
    report = work.set_up(base, permissions=Permissions(mode=0o750))
    assert [(host.host.name, len(host.pools)) for host in report.hosts] == [("h1", 4), ("h2", 4), ("h3", 4)]
    for host in report.hosts:
        for pool in host.pools:
            facts = pool.facts
            assert (facts.state, facts.autostart, facts.path) == (PoolState.ACTIVE, True, f"{base}/{facts.name}")
            assert facts.permissions.mode == 0o750
    assert [sharing.shared for sharing in report.sharing] == [True] * 4
    assert {sharing.by for sharing in report.sharing} == {"proof"}
    assert work.files(base) == sorted([base, *(f"{base}/{name}" for name in OTHER.pools)])
    again = work.set_up(base, permissions=Permissions(mode=0o750))
    assert {pool.changes for host in again.hosts for pool in host.pools} == {()}


def test_what_is_missing_is_mended_and_nothing_else_touched(work: Work) -> None:
    """A pool that is stopped, one without autostart, one whose folder is gone."""
    base = f"{work.lab.shared}/base"
    work.set_up(base, proof=False)
    one, two = work.lab.hosts[:2]
    one.virsh("pool-destroy", "other-drives")
    two.virsh("pool-autostart", "--disable", "other-bricks")
    for host in work.lab.hosts:
        host.virsh("pool-destroy", "other-snapshots")
    one.run("rmdir", f"{base}/other-snapshots")
    report = work.set_up(base, proof=False)
    changes = {(host.host.name, pool.role): pool.changes for host in report.hosts for pool in host.pools}
    assert changes["h1", PoolRole.DRIVES] == ("started",)
    assert changes["h2", PoolRole.BRICKS] == ("autostart on",)
    made = [name for (name, role), done in changes.items() if role is PoolRole.SNAPSHOTS and "made" in done[0]]
    assert made
    assert changes["h3", PoolRole.VOLUMES] == ()


def test_a_pool_at_another_place_is_refused_with_both_places(work: Work) -> None:
    """On that host nothing is changed; the others keep what they got."""
    base = f"{work.lab.shared}/base"
    work.lab.hosts[1].virsh("pool-define-as", "other-snapshots", "dir", "--target", "/elsewhere")
    with pytest.raises(PoolsNotSetUp, match="1 of 3 hosts") as caught:
        work.set_up(base)
    by_name = {host.host.name: host for host in caught.value.report.hosts}
    assert "dir at /elsewhere; requested: dir at " + f"{base}/other-snapshots" in str(by_name["h2"].error)
    assert work.pools(1) == {"other-snapshots"}
    assert work.pools(0) == work.pools(2) == set(OTHER.pools)
    assert caught.value.report.sharing[0].groups == (("h1", "h3"),)


def test_a_file_in_the_way_undoes_what_was_done_before(work: Work) -> None:
    """The pools set up before it, and the folders that were made for them, with those above."""
    base = f"{work.lab.shared}/base"
    work.lab.hosts[0].run("sh", "-c", f"mkdir {base}; echo mine > {base}/file")
    with pytest.raises(PoolsNotSetUp, match="3 of 3 hosts") as caught:
        work.set_up(f"{base}/deep/er", paths={PoolRole.SNAPSHOTS: f"{base}/file"})
    assert "it is not a folder" in str(caught.value.report.hosts[0].error)
    assert [work.pools(number) for number in range(3)] == [set()] * 3
    assert work.files(base) == [base, f"{base}/file"]
    assert work.last.progress is Progress.FAILED


def test_a_folder_that_another_pool_has_is_refused(work: Work) -> None:
    """Two pools in one folder would delete each other's volumes."""
    with pytest.raises(PoolsNotSetUp) as caught:
        work.set_up(f"{work.lab.shared}/base", paths={PoolRole.DRIVES: f"{work.lab.shared}/vm"})
    assert "ticrypt-vm" in str(caught.value.report.hosts[0].error)
    assert [work.pools(number) for number in range(3)] == [set()] * 3
    assert work.files(f"{work.lab.shared}/base") == []


def test_a_read_only_place_is_told_and_leaves_nothing(work: Work) -> None:
    """Building fails after the pool was defined."""
    with pytest.raises(PoolsNotSetUp) as caught:
        work.set_up("/proc/realms", hosts=work.hosts[:1])
    assert "build pool other vm" in str(caught.value.report.hosts[0].error)
    assert work.pools(0) == set()


def test_permissions_of_a_folder_that_was_there_are_given_back(work: Work) -> None:
    """Building changes them; a failure later undoes that."""
    base = f"{work.lab.shared}/base"
    host = work.lab.hosts[0]
    host.run("sh", "-c", f"mkdir -p -m 0755 '{base}/other vm'; chmod 0755 '{base}/other vm'; echo > {base}/file")
    with pytest.raises(PoolsNotSetUp):
        work.set_up(base, hosts=work.hosts[:1], permissions=Permissions(mode=0o700),
                    paths={PoolRole.SNAPSHOTS: f"{base}/file"})  # fmt: skip
    assert host.run("stat", "--format", "%a", f"{base}/other vm").strip() == "755"
    assert any(step.kind is StepKind.UNDO and f"{base}/other vm" in step.what for step in work.last.steps)


def test_storage_that_is_not_shared_is_found_out(work: Work) -> None:
    """Every host has a folder of its own there; the pools stand, and the proof leaves nothing in them."""
    with pytest.raises(PoolsNotSetUp, match="not shared: other vm, other-drives") as caught:
        work.set_up("/var/lib/libvirt/private")
    assert [sharing.groups for sharing in caught.value.report.sharing] == [(("h1",), ("h2",), ("h3",))] * 4
    assert work.pools(1) == set(OTHER.pools)
    assert "realms-proof" not in work.lab.hosts[1].run("find", "/var/lib/libvirt/private")


def test_a_host_that_forgot_to_mount_the_storage_is_the_odd_one_out(work: Work) -> None:
    """The others share it, and it is named."""
    work.lab.hosts[2].lose_storage()
    report = work.do(lambda control: look_at_pools(control, REALM, work.hosts, prove_sharing=True))
    assert {sharing.groups for sharing in report.sharing} == {(("h1", "h2"), ("h3",))}
    assert not report.ok
    assert (report.sharing[0].shared_by("h1"), report.sharing[0].shared_by("h3")) == (True, False)


def test_a_proof_on_full_storage_says_so(work: Work) -> None:
    """Unknown, with the reason, and not unshared; nothing is left behind."""
    work.lab.hosts[0].fill_storage()
    report = work.do(lambda control: look_at_pools(control, REALM, work.hosts, prove_sharing=True))
    assert all(sharing.shared is not False for sharing in report.sharing)
    assert "realms-proof" not in work.lab.hosts[0].run("find", str(work.lab.shared))


def test_a_cancelled_set_up_is_undone_on_every_host(work: Work) -> None:
    """Also on those that were done already."""
    base = f"{work.lab.shared}/base"
    done = threading.Event()

    def job(control: Control) -> Any:
        def watched(kind: StepKind, *what: Any, **facts: Any) -> Any:
            if kind is StepKind.PROVE_SHARING:
                control._task.cancel()
            return original(kind, *what, **facts)

        original, control.step = control.step, watched  # type: ignore[method-assign] -- of this one object
        done.set()
        return set_up_pools(control, OTHER, work.hosts, PoolRequest(base=base))

    with pytest.raises(Cancelled):
        work.do(job)
    assert [work.pools(number) for number in range(3)] == [set()] * 3
    assert work.files(base) == []
    assert not [warning for warning in work.last.warnings if "left behind" in warning]


def test_a_hung_host_fails_alone_and_in_time(work: Work) -> None:
    """The others are set up."""
    work.lab.hosts[1].hang()
    request = PoolRequest(base=f"{work.lab.shared}/base")
    with pytest.raises(PoolsNotSetUp, match="1 of 3") as caught:
        work.do(lambda control: set_up_pools(control, OTHER, work.hosts, request, deadline=3.0))
    errors = [host.error for host in caught.value.report.hosts]
    assert isinstance(errors[1], HostTimeout)
    assert errors[0] is errors[2] is None


@pytest.mark.parametrize("permissions", [Permissions(), Permissions(mode=0o711, owner=0, group=0)])
def test_the_virsh_commands_shown_do_the_same(work: Work, permissions: Permissions) -> None:
    """Typed into a shell of the host, with names and paths that need quotes."""
    host = work.lab.hosts[0]
    wanted = PoolRequest(base=f'{work.lab.shared}/base/it\'s "here" & $HOME', permissions=permissions)
    for plan in wanted.plans(OTHER).values():
        for command in plan.virsh_commands("qemu:///system"):
            host.run("sh", "-e", "-c", command)
    report = work.do(lambda control: set_up_pools(control, OTHER, work.hosts[:1], wanted))
    assert [pool.changes for pool in report.hosts[0].pools] == [()] * 4


def test_a_netfs_pool_is_understood_by_libvirt(work: Work) -> None:
    """Defined with its source; mounting fails here, as no server answers, and is undone."""
    with pytest.raises(PoolsNotSetUp) as caught:
        work.set_up(f"{work.lab.shared}/base", hosts=work.hosts[:1], type=PoolType.NETFS,
                    source="127.0.0.1:/export", format="nfs")  # fmt: skip
    assert "start pool other vm" in str(caught.value.report.hosts[0].error)
    assert work.pools(0) == set()
    assert work.files(f"{work.lab.shared}/base") == []


def test_free_space_is_that_of_now_on_every_host(work: Work, tmp_path: Path) -> None:
    """Libvirt tells what it counted when it last looked, and another host has filled the storage since."""
    work.lab.hosts[0].fill_storage(leave=16 * 2**20)
    report = work.do(lambda control: look_at_pools(control, REALM, work.hosts))
    free = {pool.facts.available for host in report.hosts for pool in host.pools}
    assert report.ok
    assert len(free) == 1
    assert free.pop() < 64 * 2**20
    configuration, registry = write_configuration(tmp_path), tmp_path / "registry.json"
    write_registry(work.lab, configuration, registry)
    diagnosis = diagnose(Session(load(configuration), registry=HostRegistry(registry)), (), LONG)
    warned = {each.host for each in diagnosis.findings if each.severity is Severity.WARNING and "full" in each.what}
    assert warned == {"h1", "h2", "h3"}


def remove(work: Work, session: Session, *roles: PoolRole, hosts: Any = None, **more: Any) -> Any:
    """Take pools of OTHER away."""
    chosen = roles or tuple(PoolRole)
    return work.do(lambda control: remove_pools(session, control, OTHER, hosts or work.hosts, chosen, **more))


def test_pools_at_a_wrong_place_are_taken_back_by_the_command_that_is_told(work: Work, session: Session) -> None:
    """Their files stay; then they can be set up at the right one."""
    with pytest.raises(PoolsNotSetUp) as caught:
        work.set_up("/var/lib/libvirt/private")
    assert caught.value.hint.endswith("realms pools remove --realm lab")
    with pytest.raises(PoolsNotSetUp) as caught:
        work.set_up(f"{work.lab.shared}/base", hosts=work.hosts[:1])
    error = caught.value.report.hosts[0].error
    assert "likewise other-drives, other-bricks, other-snapshots" in error.message
    assert error.hint.endswith("realms pools remove --realm lab --host h1")
    kept = "/var/lib/libvirt/private/other vm/kept"
    work.lab.hosts[0].run("touch", kept)
    report = remove(work, session)
    assert {pool.changes for host in report.hosts for pool in host.pools} == {("stopped", "undefined")}
    assert [work.pools(number) for number in range(3)] == [set()] * 3
    assert work.lab.hosts[0].run("ls", kept).strip() == kept
    assert work.set_up(f"{work.lab.shared}/base").ok
    assert {pool.changes for host in remove(work, session, PoolRole.BRICKS).hosts for pool in host.pools} != {()}
    assert work.pools(0) == set(OTHER.pools) - {"other-bricks"}


@pytest.mark.parametrize("running", [True, False])
def test_pools_that_a_vm_needs_stay_also_those_below_its_disk(work: Work, session: Session, running: bool) -> None:
    """Its boot volume is an overlay of a brick: neither pool goes, on no host; the others can."""
    host = work.lab.hosts[1]
    host.define_guest("needs", boot=Boot.BRICK, network=None)
    if running:
        host.start_guest("needs", paused=True)
    for role in (PoolRole.VOLUMES, PoolRole.BRICKS):
        with pytest.raises(VolumeInUse, match=f"in use by VM h2/needs .{'running' if running else 'off'}."):
            work.do(lambda control, role=role: remove_pools(session, control, REALM, work.hosts, (role,)))
        for each in work.lab.hosts:
            assert set(REALM.pools) <= set(each.virsh("pool-list", "--name").split())
    report = work.do(lambda control: remove_pools(session, control, REALM, work.hosts[1:2], (PoolRole.SNAPSHOTS,)))
    assert report.ok
    host.virsh("pool-define-as", REALM.pools[3], "dir", "--target", f"{work.lab.shared}/snapshots")
    host.virsh("pool-start", REALM.pools[3])
    host.virsh("pool-autostart", REALM.pools[3])


def test_a_host_whose_pools_can_t_be_removed_keeps_all_of_them_and_the_others_lose_theirs(
    work: Work, session: Session
) -> None:
    """A definition that can't be deleted on one, another that hangs."""
    work.set_up(f"{work.lab.shared}/base", proof=False)
    one, two = work.lab.hosts[:2]
    definition = "/etc/libvirt/storage/other-snapshots.xml"
    one.run("mount", "--bind", definition, definition)
    two.hang()
    try:
        with pytest.raises(PoolsNotRemoved, match="2 of 3 hosts") as caught:
            remove(work, session, deadline=5.0)
    finally:
        two.wake()
        one.run("umount", definition)
    errors = [host.error for host in caught.value.report.hosts]
    assert "undefine pool other-snapshots" in str(errors[0])
    assert isinstance(errors[1], HostTimeout)
    assert [work.pools(number) for number in range(3)] == [set(OTHER.pools), set(OTHER.pools), set()]
    rows = one.virsh("pool-list", "--all", "--details").splitlines()
    assert all("running" in row and "yes" in row for row in rows if "other" in row)


def test_setting_up_pools_that_are_there_warns_of_the_space_of_now(work: Work) -> None:
    """They were counted when they were set up first."""
    base = f"{work.lab.shared}/base"
    work.set_up(base, proof=False)
    work.lab.hosts[0].fill_storage(leave=16 * 2**20)
    report = work.set_up(base, proof=False)
    assert all(pool.facts.available < 64 * 2**20 for host in report.hosts for pool in host.pools)
