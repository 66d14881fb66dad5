"""Two realms whose hosts have their pools over the same storage: what one uses is known to the other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.config.reader import load
from core.operations.session import Session
from core.operations.storage.orphaned_volumes import delete_volume
from core.operations.storage.policy import VolumeInUse
from core.operations.storage.pool_report import PoolRole
from core.registry.hosts import HostRegistry
from tests.driver.worlds import LONG

from .parts.administrator import make_drive
from .parts.guests import Boot
from .parts.realm import hosts_of, write_configuration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .parts.lab import Lab


@pytest.fixture
def two_realms(lab: Lab, tmp_path: Path) -> Iterator[Session]:
    """h1 is of the realm lab, h2 of another."""
    main = write_configuration(tmp_path)
    main.write_text(main.read_text().replace("realms {", 'realms {\n    second = { include "realms/lab.conf" }', 1))
    configuration, registry = load(main), HostRegistry(tmp_path / "registry.json")
    first, second, _ = hosts_of(lab)
    registry.add(first, configuration)
    registry.add(replace(second, realm="second"), configuration)
    session = Session(configuration, registry=registry)
    yield session
    session.close()
    lab.mend()
    lab.hosts[0].run("sh", "-c", f"rm -f {lab.shared}/drives/*")


def test_a_drive_that_a_vm_of_another_realm_has_is_known_to_be_the_very_same(lab: Lab, two_realms: Session) -> None:
    """Both see the same file, unchanged since the same moment: it is in use, whatever anyone says."""
    first, second, _ = lab.hosts
    make_drive(first, "data")
    second.define_guest("db", boot=Boot.NOTHING, network=None)
    second.virsh("attach-disk", "db", f"{lab.shared}/drives/data", "vdb", "--config")
    realm = two_realms.configuration.realms["lab"]
    hosts = tuple(host.host for host in two_realms.registered().hosts if host.host.realm == "lab")

    def delete() -> None:
        two_realms.tasks.run(
            "test",
            "data",
            lambda control: delete_volume(
                two_realms, control, realm, hosts, name="data", role=PoolRole.DRIVES, force=True
            ),
        ).outcome.result(LONG)

    with pytest.raises(VolumeInUse, match=r"is in use by VM h2/db \(off, realm second\)"):
        delete()
    second.virsh("detach-disk", "db", "vdb", "--config")
    delete()
    assert "data" not in first.run("ls", f"{lab.shared}/drives")
