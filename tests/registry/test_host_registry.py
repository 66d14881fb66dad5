"""What the registry keeps, refuses and warns of."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.config.model import Configuration
from core.errors import HostChanged, HostRefused, ReadOnly, UnknownHost
from core.hosts import Host, HostState, StaticAddress
from core.registry.hosts import NO_FILE, HostRegistry


def test_a_registry_that_does_not_exist_holds_nothing_and_is_not_made_by_reading(registry):
    """Reading makes no file and no lock."""
    assert registry.hosts() == ()
    assert registry.reservations() == ()
    assert registry.stamp() == NO_FILE
    assert list(registry.path.parent.iterdir()) == []


def test_hosts_come_back_as_they_were_added_and_in_that_order(registry, configuration, host):
    """Every field survives; only the version is the registry's own."""
    first = host("h2", state=HostState.NO_SCHEDULING, static_address=StaticAddress("203.0.113.7", 7000))
    second = host("h1", profile="gpu")
    assert registry.add(first, configuration) == ()
    assert registry.add(second, configuration) == ()
    assert [replace(stored, version=0) for stored in registry.hosts()] == [first, second]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    name=st.text(st.characters(exclude_characters="/"), min_size=1, max_size=100).filter(
        lambda name: name.isprintable() and name == name.strip()
    )
)
def test_any_printable_name_comes_back_unchanged(tmp_path_factory, configuration, host, name):
    """Names with markup, quotes or signs of other scripts are names."""
    registry = HostRegistry(tmp_path_factory.mktemp("names") / "registry.json")
    registry.add(host(name, uri="qemu:///system"), configuration)
    assert registry.host(name).name == name


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({}, (1, "h1.* already exists")),
        ({"name": "h2", "realm": "mian"}, (2, "no realm 'mian'.*did you mean 'main'")),
        ({"name": "h2", "profile": "GPU"}, (2, "no hardware profile 'GPU'.*did you mean 'gpu'")),
        ({"name": "h2", "uri": "qemu+sssh://root@h2/system"}, (2, "transport 'sssh'.*did you mean ssh")),
        (
            {"name": "h2", "uri": "qemu+ssh://root@h2/system?command=/bin/sh"},
            (2, "command=/bin/sh.*runs an arbitrary program"),
        ),
        ({"name": "a/b"}, (2, "slash")),
        ({"name": "a\x1b[31mb"}, (2, "unprintable")),
        ({"name": ""}, (2, "1 to 100 characters")),
        ({"name": "h2", "static_address": StaticAddress("203.0.113.7", 7255)}, (1, "clashes with h1.*7256 is free")),
        ({"name": "h2", "static_address": StaticAddress("203.0.113.7", 6745)}, (1, "clashes with h1")),
    ],
)
def test_a_host_that_makes_no_sense_or_clashes_is_refused(registry, configuration, host, fields, refused):
    """The refusal says what is wrong and what would be right; nothing is stored."""
    code, message = refused
    registry.add(host("h1", static_address=StaticAddress("203.0.113.7", 7000)), configuration)
    with pytest.raises(HostRefused, match=message) as refusal:
        registry.add(replace(host("h1"), **fields), configuration)
    assert refusal.value.exit_code == code
    assert [stored.name for stored in registry.hosts()] == ["h1"]


@pytest.mark.parametrize(
    ("fields", "warning"),
    [
        ({"name": "H1"}, "easily confused"),
        ({"name": "\uff281"}, "easily confused"),
        ({"uri": "qemu+ssh://root@h1.example/system"}, "same URI"),
        ({"uri": "qemu+tls://H1.example/system"}, "same machine"),
        ({"uri": "qemu+tcp://other/system"}, "neither encrypted"),
        ({"realm": "lab"}, "'lab' is disabled"),
    ],
)
def test_what_is_legal_and_surely_not_meant_is_a_warning(registry, configuration, host, fields, warning):
    """The host is registered all the same."""
    registry.add(host("h1"), configuration)
    (given_warning,) = registry.add(replace(host("h2"), **fields), configuration)
    assert warning in given_warning
    assert len(registry.hosts()) == 2


def test_translations_256_ports_apart_or_of_other_addresses_live_together(registry, configuration, host):
    """The bound is exact."""
    for name, address, port in (("h1", "203.0.113.7", 7000), ("h2", "203.0.113.7", 7256), ("h3", "203.0.113.8", 7000)):
        assert registry.add(host(name, static_address=StaticAddress(address, port)), configuration) == ()


def test_ports_of_a_machine_tell_tunnels_apart(registry, configuration, host):
    """Two ports of one address are two machines behind it."""
    registry.add(host("h1", uri="qemu+ssh://root@gate:2201/system"), configuration)
    assert registry.add(host("h2", uri="qemu+ssh://root@gate:2202/system"), configuration) == ()


def test_an_edit_may_rename_and_keeps_the_place(registry, configuration, host):
    """A rename is an edit like another."""
    for name in ("h1", "h2", "h3"):
        registry.add(host(name), configuration)
    registry.replace(registry.host("h2"), replace(registry.host("h2"), name="k2", profile="gpu"), configuration)
    assert [(stored.name, stored.profile) for stored in registry.hosts()] == [
        ("h1", "plain"),
        ("k2", "gpu"),
        ("h3", "plain"),
    ]


def test_an_edit_keeps_its_own_name_and_ports_without_clashing_with_itself(registry, configuration, host):
    """A host is not its own rival."""
    registry.add(host("h1", static_address=StaticAddress("203.0.113.7", 7000)), configuration)
    old = registry.host("h1")
    assert registry.replace(old, replace(old, static_address=StaticAddress("203.0.113.7", 7100)), configuration) == ()
    assert registry.host("h1").static_address == StaticAddress("203.0.113.7", 7100)


def test_an_edit_can_not_take_another_hosts_name_or_ports(registry, configuration, host):
    """The rules for new hosts hold for changed ones."""
    registry.add(host("h1", static_address=StaticAddress("203.0.113.7", 7000)), configuration)
    registry.add(host("h2"), configuration)
    old = registry.host("h2")
    with pytest.raises(HostRefused, match=r"can't rename.*'h1' already exists"):
        registry.replace(old, replace(old, name="h1"), configuration)
    with pytest.raises(HostRefused, match="clashes with h1"):
        registry.replace(old, replace(old, static_address=StaticAddress("203.0.113.7", 7001)), configuration)
    assert registry.host("h2") == old


def test_an_edit_of_an_old_copy_is_refused_and_says_what_changed(registry, configuration, host):
    """Nobody overwrites what somebody else just did."""
    registry.add(host("h1"), configuration)
    old = registry.host("h1")
    registry.set_state("h1", HostState.DISABLED)
    with pytest.raises(HostChanged, match="state Enabled is now Disabled"):
        registry.replace(old, replace(old, profile="gpu"), configuration)
    assert registry.host("h1").profile == "plain"


def test_a_host_removed_and_added_again_is_not_the_one_that_was_read(registry, configuration, host):
    """Versions are never used twice, whatever is removed."""
    registry.add(host("h1"), configuration)
    old = registry.host("h1")
    registry.remove("h1")
    with pytest.raises(HostChanged, match="removed or renamed"):
        registry.replace(old, replace(old, profile="gpu"), configuration)
    registry.add(host("h1"), configuration)
    with pytest.raises(HostChanged, match="changed by someone else"):
        registry.replace(old, replace(old, profile="gpu"), configuration)


def test_a_host_whose_profile_and_realm_are_gone_can_still_be_changed(registry, configuration, host):
    """It can be disabled, edited, given another profile, and removed."""
    registry.add(host("h1", profile="gpu"), configuration)
    bare = Configuration(hardware_profiles={"plain": configuration.hardware_profiles["plain"]})
    registry.set_state("h1", HostState.DISABLED)
    old = registry.host("h1")
    warnings = registry.replace(old, replace(old, name="k1", state=HostState.ENABLED), bare)
    assert [("not configured" in warning) for warning in warnings] == [True, True]
    registry.replace(registry.host("k1"), replace(registry.host("k1"), profile="plain"), bare)
    assert registry.remove("k1").profile == "plain"
    assert registry.hosts() == ()


def test_unknown_hosts_are_refused_with_the_nearest_name(registry, configuration, host):
    """Wrong names change nothing and lead to the right one."""
    registry.add(host("node-17"), configuration)
    for refused in (lambda: registry.set_state("Node17", HostState.ENABLED), lambda: registry.remove("node-71")):
        with pytest.raises(UnknownHost, match="did you mean 'node-17'") as refusal:
            refused()
        assert refusal.value.exit_code == 2
    assert len(registry.hosts()) == 1


def test_a_transaction_that_fails_changes_nothing(registry, configuration, host):
    """All of several changes, or none."""
    registry.add(host("h1"), configuration)
    with pytest.raises(UnknownHost), registry.transaction() as changes:  # noqa: PT012 - the block is what is tested
        changes.set_state("h1", HostState.DISABLED)
        changes.remove("h9")
    assert registry.host("h1").state is HostState.ENABLED


def test_the_stamp_differs_after_a_change_and_only_then(registry, configuration, host):
    """A screen can tell cheaply that another program has changed something."""
    registry.add(host("h1"), configuration)
    stamp = registry.stamp()
    registry.set_state("h1", HostState.ENABLED)
    registry.hosts()
    assert registry.stamp() == stamp
    registry.set_state("h1", HostState.DISABLED)
    assert registry.stamp() != stamp


def test_a_read_only_registry_refuses_every_change(registry, configuration, host):
    """Not even a lock is made."""
    observer = HostRegistry(registry.path, read_only=True)
    for change in (
        lambda: observer.add(host("h1"), configuration),
        lambda: observer.set_state("h1", HostState.ENABLED),
        lambda: observer.remove("h1"),
        lambda: observer.release("u"),
    ):
        with pytest.raises(ReadOnly):
            change()
    assert observer.hosts() == ()
    assert list(registry.path.parent.iterdir()) == []


def test_the_file_is_one_that_tinydb_itself_can_read(registry, configuration, host):
    """Other tools need no code of this program."""
    from tinydb import TinyDB

    registry.add(host("h1"), configuration)
    with TinyDB(registry.path, access_mode="r") as database:
        assert [document["name"] for document in database.table("hosts")] == ["h1"]
        assert database.table("registry").get(doc_id=1)["format"] == "libvirt-realms-registry/1"


def test_hosts_is_a_type_that_can_not_be_changed_by_accident(registry, configuration, host):
    """What was read stays as it was read."""
    registry.add(host("h1"), configuration)
    assert isinstance(registry.hosts(), tuple)
    assert hash(registry.host("h1")) == hash(
        Host(**{name: getattr(registry.host("h1"), name) for name in Host.__slots__})
    )
