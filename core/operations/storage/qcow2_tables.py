"""Where the tables of a qcow2 image point: a download that was cut off has its header, and lacks what they point to."""

import struct
from dataclasses import dataclass
from typing import BinaryIO

_OFFSET = 0x00FF_FFFF_FFFF_FE00
_COMPRESSED = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a header says of an image's tables. Offsets are bytes from the begin of the file."""

    cluster_bits: int
    l1_entries: int
    l1_at: int
    refcounts_at: int
    extended: bool = False
    """Whether an entry of an L2 table has 16 bytes instead of 8."""


def lacks(file: BinaryIO, size: int, layout: Layout) -> str:
    """Return what lies beyond the end of a file of so many bytes; empty where nothing does. Raises OSError.

    Reads each of its tables once, whatever they say: no more than the file has.
    """
    cluster = 1 << layout.cluster_bits
    if layout.refcounts_at >= size:
        return f"its refcount table starts at {layout.refcounts_at}"
    if layout.l1_at + 8 * layout.l1_entries > size:
        return f"its L1 table ends at {layout.l1_at + 8 * layout.l1_entries}"
    file.seek(layout.l1_at)
    entries = struct.unpack(f">{layout.l1_entries}Q", file.read(8 * layout.l1_entries))
    for table_at in sorted({entry & _OFFSET for entry in entries} - {0}):
        if table_at % cluster:
            return f"an L2 table would start at {table_at}, within a cluster"
        if table_at + cluster > size:
            return f"an L2 table ends at {table_at + cluster}"
        file.seek(table_at)
        last = _last_cluster(file.read(cluster), layout)
        if last >= size:
            return f"a cluster of its data starts at {last}"
    return ""


def _last_cluster(table: bytes, layout: Layout) -> int:
    import numpy as np

    entries = np.frombuffer(table, ">u8")[:: 2 if layout.extended else 1]
    compressed = np.uint64((1 << (62 - (layout.cluster_bits - 8))) - 1)
    offsets = np.where(entries & np.uint64(_COMPRESSED), entries & compressed, entries & np.uint64(_OFFSET))
    return int(offsets.max())
