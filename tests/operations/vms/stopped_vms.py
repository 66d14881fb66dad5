"""VMs that are there and off, for the tests of what is done to them."""

from __future__ import annotations

from core.driver.xml.metadata import RealmMark
from core.hardware import Device, PciAddress
from tests.driver.worlds import Guest
from tests.operations.vms.world import GPUS, UUID

GPU = tuple(Device("gpu", PciAddress.parse(address)) for address in GPUS)


MINE = Guest(
    name="mine", uuid=UUID, network="default", devices=(GPUS[0],), state="shutoff",
    mark=RealmMark(realm="main", devices=(GPU[0],)),
)  # fmt: skip
