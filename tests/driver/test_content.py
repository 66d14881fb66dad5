"""A file's bytes on their way: all of them, with holes as holes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.driver.storage.content import PIECE, Content

if TYPE_CHECKING:
    from pathlib import Path

BLOCK = 65536


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 5)), max_size=6), st.integers(0, 9999))
def test_the_pieces_make_up_the_file(
    tmp_path_factory: pytest.TempPathFactory, extents: list[tuple[bool, int]], rest: int
) -> None:
    """Holes included, whatever their order, and none is longer than a message."""
    path = tmp_path_factory.mktemp("content") / "file"
    with path.open("wb") as file:
        for is_data, blocks in extents:
            if is_data:
                file.write(b"x" * (blocks * BLOCK))
            else:
                file.seek(blocks * BLOCK, 1)
        file.write(b"y" * rest)
        file.truncate()
    size = path.stat().st_size
    with path.open("rb") as file:
        pieces = list(Content(file, size).pieces())
    assert b"".join(bytes(length) if piece is None else piece for length, piece in pieces) == path.read_bytes()
    assert all(piece is None or len(piece) == length <= PIECE for length, piece in pieces)


@pytest.mark.parametrize("left", [0, 10, BLOCK])
def test_a_file_that_has_become_shorter_is_an_error_and_not_zeros(tmp_path: Path, left: int) -> None:
    """Someone else truncates it during the upload."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * (4 * BLOCK))
    with path.open("rb") as file:
        content = Content(file, 4 * BLOCK)
        path.write_bytes(b"x" * left)
        with pytest.raises(OSError, match="shrunk"):
            list(content.pieces())
