"""Jobs on hosts of the embedded driver, whose worlds last as long as a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.driver.connection.jobs import job_connection
from core.operations.storage.images import create_drive
from core.operations.storage.pool_report import PoolRole
from core.operations.storage.usage import look_at_images
from tests.driver.worlds import LONG
from tests.operations.vms.world import MIB, world

if TYPE_CHECKING:
    from pathlib import Path


def test_what_a_job_makes_is_there_for_the_lane_and_for_the_next_job(tmp_path: Path) -> None:
    """All work in the one world that the lane has open."""
    with world(tmp_path, hosts=1) as realm:
        main = realm.session.configuration.realms["main"]
        realm.session.settled_fleet(LONG)
        realm.task(lambda control: create_drive(control, main, realm.hosts, "data.qcow2", size=8 * MIB))
        assert "ticrypt-vm-drives/data.qcow2" in realm.volumes("h1")
        report = realm.task(lambda control: look_at_images(control, main, realm.hosts, PoolRole.DRIVES, LONG))
        assert [image.name for image in report.images] == ["data.qcow2"]


def test_a_job_that_outlives_the_lane_keeps_its_world(tmp_path: Path) -> None:
    """The last that works there closes it."""
    with world(tmp_path, hosts=1) as realm:
        realm.session.settled_fleet(LONG)
        with job_connection(realm.hosts[0], LONG) as connection:
            realm.close()
            assert connection.is_alive()
            assert connection.handle.numOfStoragePools() == 4
        assert not connection.is_alive()
