"""Makes the README's pictures from the real application on the demo fleet: python tools/pictures.py [FOLDER]."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from core.demo.stage import Demo
from tui.app.app import RealmsApp
from tui.screens.plans.area import PlansScreen

if TYPE_CHECKING:
    from core.operations.session import Session

SIZE = (120, 36)
AREAS = (("hosts", "1"), ("vms", "2"), ("costs", "3"), ("pools", "4"), ("plans", "5b"))
"""Name of each picture, and the keys that lead to what it shows."""


async def take(session: Session, folder: Path, size: tuple[int, int]) -> None:
    """Save one picture of each area once the demo's hosts have answered twice."""
    app = RealmsApp(session)
    async with app.run_test(size=size) as pilot:
        session.connect().wait(lambda fleet: sum(vm.cpu_percent is not None for vm in fleet.vms()) > 20, 20.0)
        for name, keys in AREAS:
            for key in keys:
                await pilot.press(key)
                app.tick()
                await pilot.pause()
                while isinstance(app.screen, PlansScreen) and app.screen.is_planning:
                    await pilot.pause(0.1)
            (folder / f"{name}.svg").write_text(app.export_screenshot(title="realms demo"))


def main() -> None:
    """Make all pictures."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures")
    size = (int(sys.argv[2]), int(sys.argv[3])) if len(sys.argv) > 3 else SIZE
    folder.mkdir(parents=True, exist_ok=True)
    with Demo(still=True) as session:
        asyncio.run(take(session, folder, size))


if __name__ == "__main__":
    main()
