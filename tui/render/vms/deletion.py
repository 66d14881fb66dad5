"""What is deleted with VMs, and what is kept, volume by volume."""

from collections.abc import Iterator, Sequence

from core.driver.storage.volumes import Volume
from core.driver.vms.snapshots import Snapshot
from core.operations.vms.delete import Deletion
from core.operations.vms.queries import DeletionPreview
from core.text import one_line, plural
from core.units import show_size
from tui.render.cells import Piece, Tone

Line = tuple["Piece", ...]

MOST_LISTED = 40
"""Lines that are listed one by one; the rest are counted."""

MOST_SAID = 200
"""Characters, at most, of the reason why the users of a volume are unknown."""


def deletion_lines(found: Sequence[DeletionPreview], wish: Deletion) -> list[Line]:
    """Return for each volume and snapshot whether it is deleted or kept, and what prevents its deletion."""
    lines: list[Line] = []
    for each in found:
        if len(found) > 1:
            lines.append(((each.target.name, Tone.STRONG),))
        told = list(_of_one(each, wish))
        lines += told or [(("  no volumes", Tone.MUTED),)]
    if len(lines) > MOST_LISTED:
        lines = [*lines[:MOST_LISTED], ((f"and {plural(len(lines) - MOST_LISTED, 'more line')}", Tone.MUTED),)]
    return lines


def why_not(found: Sequence[DeletionPreview], wish: Deletion) -> str:
    """Return what prevents the requested deletion; empty where nothing does."""
    for each in found:
        if wish.volumes and each.boot_used:
            return each.boot_used
        if wish.drives and each.drives_used:
            return each.drives_used
        if wish.snapshots and each.trouble:
            return f"snapshots unknown: {each.trouble}"
        if wish.snapshots and each.snapshots_used:
            return each.snapshots_used
        for lost in each.volumes.unlisted:
            if wish.volumes if lost.pool == each.target.realm.volumes_pool else wish.drives:
                return str(lost)
        if each.doubt and not wish.unasked and _goes(each, wish):
            return f"cannot verify that no other VM uses it; {each.doubt}"
    return ""


def _goes(each: DeletionPreview, wish: Deletion) -> bool:
    volumes = each.volumes
    return bool(
        (wish.volumes and volumes.boot) or (wish.drives and volumes.drives) or (wish.snapshots and each.snapshots)
    )


def _of_one(each: DeletionPreview, wish: Deletion) -> Iterator[Line]:
    for volume in each.volumes.boot:
        yield _volume("boot volume", volume, goes=wish.volumes)
    if each.boot_used:
        yield _against(each.boot_used, wanted=wish.volumes)
    for volume in each.volumes.drives:
        yield _volume("drive", volume, goes=wish.drives)
    if each.drives_used:
        why = each.drives_used if each.drives_used != each.boot_used else "same reason"
        yield _against(why, wanted=wish.drives)
    for lost in each.volumes.unlisted:
        wanted = wish.volumes if lost.pool == each.target.realm.volumes_pool else wish.drives
        yield _against(str(lost), wanted=wanted)
    for path in each.volumes.others:
        yield (_word(goes=False), ("outside the realm's pools  ", Tone.MUTED), (path, Tone.PLAIN))
    for snapshot in each.snapshots:
        yield _snapshot(snapshot, goes=wish.snapshots)
    if each.snapshots_used:
        yield _against(each.snapshots_used, wanted=wish.snapshots)
    if each.trouble:
        yield _against(f"snapshots unknown: {each.trouble}", wanted=wish.snapshots)


def _word(*, goes: bool) -> Piece:
    return ("  delete ", Tone.BAD) if goes else ("  keep   ", Tone.GOOD)


def _volume(kind: str, volume: Volume, *, goes: bool) -> Line:
    size = f"  {show_size(volume.capacity)}"
    return (
        _word(goes=goes),
        (f"{kind}  ", Tone.MUTED),
        (f"{volume.pool}/{volume.name}", Tone.PLAIN),
        (size, Tone.MUTED),
    )


def _snapshot(snapshot: Snapshot, *, goes: bool) -> Line:
    size = f"  {show_size(snapshot.allocation)} on disk"
    return (_word(goes=goes), ("snapshot  ", Tone.MUTED), (snapshot.name, Tone.PLAIN), (size, Tone.MUTED))


def _against(why: str, *, wanted: bool) -> Line:
    return (("         ", Tone.PLAIN), (f"cannot delete: {why}", Tone.BAD if wanted else Tone.WARN))


def doubt_lines(found: Sequence[DeletionPreview], wish: Deletion) -> list[Line]:
    """Return why it is unknown whether other VMs use any of it, each reason once; empty where all is known."""
    doubt = "; ".join(dict.fromkeys(each.doubt for each in found if each.doubt))
    if not doubt:
        return []
    told = f"Cannot verify that no other VM uses it; {one_line(doubt, MOST_SAID)}"
    return [((told, Tone.WARN if wish.unasked or not any(_goes(each, wish) for each in found) else Tone.BAD),)]
