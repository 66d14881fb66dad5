"""What pools are asked for: their XML, the equal virsh commands, and requests that make no sense."""

from __future__ import annotations

import shlex
from xml.etree import ElementTree as ET

import pytest

from core.driver.storage.pool_setup import Permissions, PoolPlan, PoolType, same_place, split_export
from core.errors import UsageError
from core.operations.storage.pool_report import PoolRole, PoolSharing, pool_name
from core.operations.storage.pools import PoolRequest
from core.realms import Realm

REALM = Realm(id="r", name="R")
URI = "qemu+ssh://root@h1/system?keyfile=/k y&no_verify=1"


def test_each_pool_lies_below_the_base_unless_it_has_a_path_of_its_own() -> None:
    """Under the names that the realm gives them."""
    plans = PoolRequest(base="/shared/", paths={PoolRole.BRICKS: "/images"}).plans(REALM)
    assert {role.value: plan.path for role, plan in plans.items()} == {
        "volumes": "/shared/ticrypt-vm",
        "drives": "/shared/ticrypt-vm-drives",
        "bricks": "/images",
        "snapshots": "/shared/ticrypt-vm-snapshots",
    }


def test_a_network_file_system_is_mounted_folder_by_folder() -> None:
    """The same export at four paths would be one pool under four names."""
    plans = PoolRequest(base="/m", type=PoolType.NETFS, source="nas:/export", format="nfs").plans(REALM)
    assert plans[PoolRole.VOLUMES].source == "nas:/export/ticrypt-vm"
    pool = ET.fromstring(plans[PoolRole.VOLUMES].xml())  # noqa: S314 -- written above
    source = pool.find("source")
    assert source is not None
    assert [(part.tag, dict(part.attrib)) for part in source] == [
        ("host", {"name": "nas"}), ("dir", {"path": "/export/ticrypt-vm"}), ("format", {"type": "nfs"}),
    ]  # fmt: skip
    command = shlex.split(plans[PoolRole.VOLUMES].virsh_definition(URI))
    assert command == ["virsh", "--connect", URI, "pool-define-as", "ticrypt-vm", "netfs", "--source-host", "nas",
                       "--source-path", "/export/ticrypt-vm", "--source-format", "nfs", "--target",
                       "/m/ticrypt-vm"]  # fmt: skip


def test_the_commands_are_those_of_the_manual_and_quoted() -> None:
    """As the specification writes them, section 10."""
    plan = PoolPlan(name="a b", path="/x/$HOME; rm")
    commands = [shlex.split(command)[3:] for command in plan.virsh_commands(URI)]
    assert commands == [
        ["pool-define-as", "a b", "dir", "-", "-", "-", "-", "/x/$HOME; rm"],
        ["pool-build", "a b"],
        ["pool-start", "a b"],
        ["pool-autostart", "a b"],
    ]


def test_hostile_names_stay_text_in_xml() -> None:
    """Whatever an administrator calls a pool."""
    plan = PoolPlan(name="</name><x/>&", path="/<p>", permissions=Permissions(0o2770, 0, 36))
    pool = ET.fromstring(plan.xml())  # noqa: S314 -- written above
    assert (pool.findtext("name"), pool.findtext("target/path")) == ("</name><x/>&", "/<p>")
    assert [pool.findtext(f"target/permissions/{tag}") for tag in ("mode", "owner", "group")] == ["2770", "0", "36"]


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (PoolRequest(), "no path is given"),
        (PoolRequest(base="shared"), "not an absolute path"),
        (PoolRequest(base="/a\n"), "not an absolute path"),
        (PoolRequest(roles=(PoolRole.BRICKS,), paths={PoolRole.BRICKS: "//"}), "root folder"),
        (PoolRequest(base="/a", paths={PoolRole.BRICKS: "/a/ticrypt-vm/"}), "same path"),
        (PoolRequest(base="/a", source="nas:/x"), "type dir has no source"),
        (PoolRequest(base="/a", type=PoolType.NETFS), "no source is given"),
        (PoolRequest(base="/a", type=PoolType.NETFS, source="/export"), "not a network file system"),
        (PoolRequest(base="/a", type=PoolType.FS, source="/dev/sdb"), "same source"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_before_anything_connects(request_: PoolRequest, says: str) -> None:
    """With what is wrong."""
    with pytest.raises(UsageError, match=says):
        request_.plans(REALM)


def test_a_host_with_the_older_name_of_the_snapshots_pool_keeps_it() -> None:
    """Section 6."""
    assert pool_name(REALM, PoolRole.SNAPSHOTS, {"ticrypt-vm-snapshot"}) == "ticrypt-vm-snapshot"
    assert (
        pool_name(REALM, PoolRole.SNAPSHOTS, {"ticrypt-vm-snapshot", "ticrypt-vm-snapshots"}) == "ticrypt-vm-snapshots"
    )


def test_paths_and_exports_are_compared_by_what_they_mean() -> None:
    """A slash more is no other place."""
    assert same_place("/a/b/", "/a//b")
    assert not same_place("/a/b", "/a/c")
    assert split_export("[fd00::1]:/export") == ("fd00::1", "/export")


@pytest.mark.parametrize(
    ("groups", "shared", "of_each"),
    [
        ((), None, {"h1": None}),
        ((("h1",),), None, {"h1": None, "h2": None}),
        ((("h1", "h2"),), True, {"h1": True, "h2": True, "h3": None}),
        ((("h1", "h2"), ("h3",)), False, {"h1": True, "h2": True, "h3": False}),
        ((("h1",), ("h2",)), False, {"h1": False, "h2": False}),
    ],
)
def test_sharing_is_told_of_all_and_of_each(
    groups: tuple[tuple[str, ...], ...], shared: bool | None, of_each: dict[str, bool | None]
) -> None:
    """The most count as right; nobody is judged who was not asked."""
    sharing = PoolSharing(PoolRole.BRICKS, "b", groups, "proof" if groups else "")
    assert sharing.shared is shared
    assert {host: sharing.shared_by(host) for host in of_each} == of_each
