"""What the user chose and expects to find again: theme, sort and width of the tables."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.files import PRIVATE, make_folder, replace_file


@dataclass(frozen=True, slots=True)
class Sort:
    """By which column a table is sorted, and in which direction."""

    column: str
    descending: bool = False


@dataclass(slots=True)
class Settings:
    """The user's choices; `path` None keeps them for this run only."""

    path: Path | None = None
    theme: str = ""
    sorts: dict[str, Sort] = field(default_factory=dict)
    """By the table's name."""
    wide: set[str] = field(default_factory=set)
    """Names of the tables that show every column."""
    _writing: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def load(cls, path: Path) -> Settings:
        """Read the settings; a file that is missing or that makes no sense is as good as none."""
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return cls(path)
        if not isinstance(stored, dict):
            return cls(path)
        theme, sorts, wide = stored.get("theme"), stored.get("sort"), stored.get("wide")
        return cls(
            path,
            theme if isinstance(theme, str) else "",
            _sorts(sorts) if isinstance(sorts, dict) else {},
            {name for name in wide if isinstance(name, str)} if isinstance(wide, list) else set(),
        )

    def save(self) -> None:
        """Write the settings from a thread of its own: a home folder on a slow file system holds nothing up."""
        if self.path is None:
            return
        stored = {
            "theme": self.theme,
            "sort": {name: {"column": sort.column, "descending": sort.descending} for name, sort in self.sorts.items()},
            "wide": sorted(self.wide),
        }
        text = json.dumps(stored, indent=2) + "\n"
        threading.Thread(target=self._write, args=(self.path, text), name="settings", daemon=True).start()

    def _write(self, path: Path, text: str) -> None:
        with self._writing, suppress(OSError):  # a home folder that can't be written to: it holds for this run
            make_folder(path.parent)
            replace_file(path, text.encode(), mode=PRIVATE)


def _sorts(stored: dict[str, Any]) -> dict[str, Sort]:
    return {
        name: Sort(sort["column"], bool(sort.get("descending")))
        for name, sort in stored.items()
        if isinstance(sort, dict) and isinstance(sort.get("column"), str)
    }


def default_path() -> Path:
    """Where the user's settings are kept."""
    from platformdirs import user_config_path

    return user_config_path("libvirt-realms") / "settings.json"
