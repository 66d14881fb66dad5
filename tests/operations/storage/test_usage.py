"""Who uses an image, as it is told."""

from __future__ import annotations

from dataclasses import replace

from core.operations.storage.usage import Image
from core.operations.storage.users import UseKind, VolumeUser


def test_each_user_of_an_image_is_told_once_with_its_details_in_brackets() -> None:
    """A VM that runs on an overlay has the image below it as a disk too; one that was copied has neither."""
    overlay = VolumeUser(UseKind.OVERLAY, "w2.qcow2", active=True, pool="vm", vms=("h2/w2",))
    below, copied = (
        VolumeUser(UseKind.DISK, "w2", "h2", active=True),
        VolumeUser(UseKind.COPY, "w3", "h1", active=False),
    )
    image = Image(
        name="b", pool="p", path="/b", format="qcow2", capacity=1, allocation=1, uses=(overlay, below, copied)
    )
    assert list(map(str, image.users)) == ["overlay vm/w2.qcow2 (VM h2/w2, running)", "VM h1/w3 (off, a copy)"]
    direct = replace(image, uses=(overlay, replace(below, name="w4")))
    assert str(direct.users[1]) == "VM h2/w4 (running)"
