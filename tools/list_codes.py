"""Writes docs/codes.md: every code that leaves the program, from the registry in core/codes.py."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.codes import REGISTRY, RETIRED

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parent.parent / "docs" / "codes.md"


def lines() -> Iterator[str]:
    """Return the page line by line."""
    yield "# Codes"
    yield ""
    yield "Scripts decide by these, never by the messages beside them: messages are reworded, codes keep their meaning."
    yield "New codes may be added; one that is no longer given is never given another meaning."
    yield ""
    yield "`python -m tools.list_codes` writes this page from `core/codes.py`."
    for family, where in REGISTRY.items():
        yield ""
        yield f"## {(family.__doc__ or '').splitlines()[0].rstrip('.')}"
        yield ""
        yield f"{where}."
        yield ""
        yield "| Code | Meaning |"
        yield "|---|---|"
        yield from (f"| `{code.value}` | {code.meaning} |" for code in family)
        if retired := RETIRED.get(family):
            yield ""
            yield f"No longer given: {', '.join(f'`{code}`' for code in retired)}."


def page() -> str:
    """Return the page."""
    return "\n".join(lines()) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
