"""Actions of `worker.py` in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

WORKER = Path(__file__).with_name("worker.py")


def start(*arguments: object) -> subprocess.Popen[str]:
    """Start an action in a process of its own."""
    return subprocess.Popen(
        [sys.executable, WORKER, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
