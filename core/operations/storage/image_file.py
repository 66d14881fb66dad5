"""What a file is that shall become a brick, told by its first bytes, and whether it may (specification, section 9)."""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from core.codes import ErrorCode
from core.errors import RealmsError, UnreadableFile
from core.inputs import open_regular
from core.operations.storage.qcow2_tables import Layout, lacks
from core.text import printable

_SECTOR = 512
_HEADER = 64 * 1024
_QCOW2 = struct.Struct(">4sIQIIQIIQQIIQ")
"""Magic, version, backing file's offset and length, cluster bits, size, encryption, entries and offset of the L1 table,
offset and clusters of the refcount table, number and offset of the snapshots."""

_DIRTY, _CORRUPT, _DATA_FILE, _EXTENDED_L2 = 1, 2, 4, 16
_KNOWN_FEATURES = 0b11111
_EXTENSION_DATA_FILE = 0x44415441
_EXTENSION_END = 0

_FOREIGN = (
    (0, b"KDMV", "a VMDK image"),
    (0, b"COWD", "a VMDK image"),
    (0, b"# Disk DescriptorFile", "a VMDK description"),
    (0, b"vhdxfile", "a VHDX image"),
    (0, b"conectix", "a VHD image"),
    (0, b"QED\0", "a QED image"),
    (0, b"LUKS\xba\xbe", "an encrypted (LUKS) image"),
    (0, b"WithoutFreeSpace", "a Parallels image"),
    (0, b"WithouFreSpacExt", "a Parallels image"),
    (64, b"\x7f\x10\xda\xbe", "a VDI image"),
    (0, b"\x1f\x8b", "compressed with gzip"),
    (0, b"\xfd7zXZ\0", "compressed with xz"),
    (0, b"\x28\xb5\x2f\xfd", "compressed with zstd"),
    (0, b"BZh", "compressed with bzip2"),
    (0, b"PK\3\4", "a zip archive"),
    (257, b"ustar", "a tar archive, perhaps an OVA"),
)
_ISO_AT, _ISO = 0x8001, b"CD001"
"""Where ISO 9660 has its magic, also in one that boots from a disk (hybrid)."""

_PACKED = (b"\x1f\x8b", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"BZh", b"PK\3\4", b"ustar")
"""Magic of what has to be unpacked before it is an image."""


class ImageRefused(RealmsError):
    """A file can't become a brick."""

    code = ErrorCode.IMAGE_REFUSED


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A file that may become a brick. Sizes are bytes."""

    format: str
    """`qcow2` or `raw`."""
    size: int
    """Of the file."""
    capacity: int
    """That a guest will see."""
    warnings: tuple[str, ...] = ()


def read_image(path: Path) -> ImageFile:
    """Look at a file; raises ImageRefused for one that must not become a brick, UnreadableFile."""
    try:
        with open_regular(path) as file:
            return examine(file, str(path))
    except OSError as error:
        raise UnreadableFile(f"{path}: {(error.strerror or str(error)).lower()}") from error


def examine(file: BinaryIO, name: str) -> ImageFile:
    """Look at an open file; raises ImageRefused, OSError."""
    size = os.fstat(file.fileno()).st_size
    file.seek(0)
    head = file.read(_HEADER)
    if not size:
        raise ImageRefused(f"{name} is empty")
    if head.startswith(b"QFI\xfb"):
        return _qcow2(file, head, size, name)
    for offset, magic, what in _FOREIGN:
        if head[offset : offset + len(magic)] == magic:
            hint = "unpack it first" if magic in _PACKED else "qemu-img convert -O qcow2"
            raise ImageRefused(f"{name} is {what}: a brick is qcow2 or raw", hint=hint)
    if size % _SECTOR:  # no disk is like that: a text, a page of HTML in place of a download, or a part of an image
        message = f"{name} is not a disk image: no qcow2 header, and size {size} is not a multiple of {_SECTOR} bytes"
        raise ImageRefused(message, hint="a raw image is a whole number of sectors: was it copied in full?")
    warnings = []
    if not any(head):
        warnings.append(f"{name} starts with zeros only: is it a disk image?")
    if head[_ISO_AT : _ISO_AT + len(_ISO)] == _ISO:
        warnings.append(f"{name} is an ISO image: VMs made from it boot what is on it, usually an installer")
    return ImageFile("raw", size, size, tuple(warnings))


def _qcow2(file: BinaryIO, head: bytes, size: int, name: str) -> ImageFile:
    """Read a qcow2 header as far as it decides what QEMU would open besides this file, and whether it is all there."""
    if len(head) < _QCOW2.size:
        raise ImageRefused(f"{name} is truncated in its qcow2 header")
    _, version, backing_at, backing_length, cluster_bits, capacity, encryption, *tables = _QCOW2.unpack_from(head)
    if version not in (2, 3):
        raise ImageRefused(f"{name} is qcow2 version {version}; supported are 2 and 3")
    if not 9 <= cluster_bits <= 21:
        raise ImageRefused(f"{name} is damaged: its cluster size would be 2^{cluster_bits} bytes")
    if backing_at or backing_length:
        backing = head[backing_at : backing_at + min(backing_length, 1023)].decode("utf-8", "replace")
        hint = "make a standalone image with qemu-img convert -O qcow2"
        raise ImageRefused(f"{name} is an overlay of another file ({printable(backing) or 'unnamed'})", hint=hint)
    if encryption:
        raise ImageRefused(f"{name} is encrypted: no VM could use it")
    warnings: list[str] = []
    extended = False
    if version == 3:
        if len(head) < 104:
            raise ImageRefused(f"{name} is truncated in its qcow2 header")
        features, header_length = struct.unpack_from(">Q", head, 72)[0], struct.unpack_from(">I", head, 100)[0]
        _check_features(features, name)
        extended = bool(features & _EXTENDED_L2)
        if any(kind == _EXTENSION_DATA_FILE for kind in _extensions(head, header_length)):
            raise ImageRefused(f"{name} uses an external data file")
        if features & _DIRTY:
            warnings.append(f"{name} was not closed properly; repair it with qemu-img check -r leaks")
    elif any(kind == _EXTENSION_DATA_FILE for kind in _extensions(head, 72)):
        raise ImageRefused(f"{name} uses an external data file")
    if not capacity:
        raise ImageRefused(f"{name} is an image of 0 bytes")
    l1_entries, l1_at, refcounts_at, *_ = tables
    layout = Layout(
        cluster_bits=cluster_bits, l1_entries=l1_entries, l1_at=l1_at, refcounts_at=refcounts_at, extended=extended
    )
    if lost := lacks(file, size, layout):
        message = f"{name} is truncated or damaged: it has {size} bytes, but {lost}"
        raise ImageRefused(message, hint="was it downloaded in full? qemu-img check tells more")
    return ImageFile("qcow2", size, capacity, tuple(warnings))


def _check_features(features: int, name: str) -> None:
    if features & _DATA_FILE:
        hint = "make a standalone image with qemu-img convert -O qcow2"
        raise ImageRefused(f"{name} uses an external data file", hint=hint)
    if features & _CORRUPT:
        raise ImageRefused(f"{name} is marked as corrupt", hint="qemu-img check -r all")
    if features & ~_KNOWN_FEATURES:
        raise ImageRefused(f"{name} needs unsupported qcow2 features: {features:#x}")


def _extensions(head: bytes, start: int) -> Iterator[int]:
    """Return the kinds of the header's extensions; ends where they make no sense."""
    position = start
    while position + 8 <= len(head):
        kind, length = struct.unpack_from(">II", head, position)
        if kind == _EXTENSION_END:
            return
        yield kind
        position += 8 + (length + 7) // 8 * 8
