"""Example configurations, and what is expected of each."""

from pathlib import Path

EXAMPLES = Path(__file__).parent.parent / "data" / "examples"
ROWS = [line.split("\t") for line in (EXAMPLES / "EXPECTED.tsv").read_text(encoding="utf-8").splitlines()[1:]]
