"""What may become a brick, told by its first bytes."""

from __future__ import annotations

import contextlib
import os
import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UnreadableFile
from core.operations.storage.image_file import ImageRefused, read_image

if TYPE_CHECKING:
    from pathlib import Path

MIB = 2**20


def qcow2(*, version: int = 3, backing: bytes = b"", features: int = 0, crypt: int = 0, bits: int = 16,
          capacity: int = 8 * MIB, extension: int = 0) -> bytes:  # fmt: skip
    """Write a qcow2 file as far as anyone looks at it."""
    at = 512 if backing else 0
    head = struct.pack(">4sIQIIQIIQQIIQ", b"QFI\xfb", version, at, len(backing), bits, capacity, crypt, 1, 3 << 16,
                       1 << 16, 1, 0, 0)  # fmt: skip
    head += struct.pack(">QQQII", features, 0, 0, 4, 112) + bytes(8) if version == 3 else b""
    head += struct.pack(">II", extension, 8) + b"data.raw" if extension else b""
    return head.ljust(512, b"\0") + backing.ljust(4 * 65536, b"\0")


def seen(tmp_path: Path, content: bytes) -> Path:
    """Write a file."""
    path = tmp_path / "image"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("version", [2, 3])
def test_a_qcow2_image_that_stands_alone_is_taken(tmp_path: Path, version: int) -> None:
    """With the size that a guest will see."""
    image = read_image(seen(tmp_path, qcow2(version=version)))
    assert (image.format, image.capacity, image.size, image.warnings) == ("qcow2", 8 * MIB, 4 * 65536 + 512, ())


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (qcow2(backing=b"/etc/shadow"), "overlay of another file (/etc/shadow)"),
        (qcow2(version=2, backing=b"json:{}"), "overlay of another file (json:{})"),
        (qcow2(features=4), "uses an external data file"),
        (qcow2(extension=0x44415441), "uses an external data file"),
        (qcow2(version=2, extension=0x44415441), "uses an external data file"),
        (qcow2(features=2), "marked as corrupt"),
        (qcow2(features=1 << 60), "unsupported qcow2 features"),
        (qcow2(crypt=1), "encrypted"),
        (qcow2(version=9), "version 9"),
        (qcow2(bits=63), "damaged"),
        (qcow2(capacity=0), "0 bytes"),
        (qcow2()[:90], "truncated"),
        (qcow2()[:40], "truncated"),
        (qcow2()[:60000], "truncated"),
        (b"", "is empty"),
        (b"KDMV" + bytes(2000), "a VMDK image"),
        (b"\x1f\x8b" + bytes(2000), "compressed with gzip"),
        (bytes(64) + b"\x7f\x10\xda\xbe" + bytes(2000), "a VDI image"),
    ],
)
def test_what_must_not_become_a_brick_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    """QEMU would open other files for it, or nobody could start it."""
    with pytest.raises(ImageRefused) as caught:
        read_image(seen(tmp_path, content))
    assert says in caught.value.message


def with_data(*, cut: int = 0, compressed: bool = False, l2: int = 4 << 16, data: int = 5 << 16) -> bytes:
    """Write a qcow2 file with one cluster of data, and cut it by so many bytes."""
    content = bytearray(qcow2().ljust(6 * 65536, b"\0"))
    struct.pack_into(">Q", content, 3 << 16, l2 | 1 << 63)
    struct.pack_into(">Q", content, (4 << 16) + 8, data | (1 << 62 if compressed else 1 << 63))
    return bytes(content[: len(content) - cut])


def test_a_qcow2_image_with_all_its_data_is_taken(tmp_path: Path) -> None:
    """The last cluster may be shorter: QEMU reads zeros behind the end."""
    for content in (with_data(), with_data(compressed=True), with_data(cut=60_000)):
        assert read_image(seen(tmp_path, content)).format == "qcow2"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (with_data(cut=65536), "a cluster of its data starts at 327680"),
        (with_data(cut=65536, compressed=True), "a cluster of its data starts at 327680"),
        (with_data(cut=2 * 65536), "an L2 table ends at 327680"),
        (with_data(l2=(4 << 16) + 512), "within a cluster"),
        (with_data(data=1 << 40), "a cluster of its data starts at 1099511627776"),
        (with_data(cut=3 * 65536), "its L1 table ends at 196616"),
    ],
)
def test_a_qcow2_image_that_was_cut_off_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    """Its header is whole, and a guest would find zeros in place of its data."""
    with pytest.raises(ImageRefused) as caught:
        read_image(seen(tmp_path, content))
    assert "truncated or damaged" in caught.value.message
    assert says in caught.value.message


def test_an_iso_image_is_warned_of(tmp_path: Path) -> None:
    """Also a hybrid one, which looks like a disk."""
    content = bytearray(b"\xeb\x63".ljust(510, b"\0") + b"\x55\xaa").ljust(65536, b"\0")
    content[0x8001:0x8006] = b"CD001"
    (warning,) = read_image(seen(tmp_path, bytes(content))).warnings
    assert "is an ISO image" in warning


def test_whole_sectors_of_anything_else_are_raw(tmp_path: Path) -> None:
    """With a word where it hardly is an image."""
    image = read_image(seen(tmp_path, b"\xeb\x63" + bytes(510)))
    assert (image.format, image.capacity, image.warnings) == ("raw", 512, ())
    assert "zeros only" in read_image(seen(tmp_path, bytes(1024))).warnings[0]


@pytest.mark.parametrize("content", [b"this is not a qcow2 image ...\n", bytes(513), b"\xeb\x63" + bytes(509)])
def test_what_has_no_header_and_no_whole_sectors_is_no_image(tmp_path: Path, content: bytes) -> None:
    """A text, whatever its name says; half a download."""
    with pytest.raises(ImageRefused, match=f"size {len(content)} is not a multiple of 512"):
        read_image(seen(tmp_path, content))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """Nobody writes into it; and what isn't there says so."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnreadableFile, match="it is a pipe, not a regular file"):
        read_image(tmp_path / "pipe")
    with pytest.raises(UnreadableFile, match="no such file"):
        read_image(tmp_path / "nothing")


@given(st.binary(max_size=300))
def test_no_header_whatsoever_confuses_the_reader(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """It is taken or refused; nothing else is raised."""
    path = tmp_path_factory.mktemp("any") / "image"
    path.write_bytes(b"QFI\xfb" + content)
    with contextlib.suppress(ImageRefused):
        assert read_image(path).format == "qcow2"
