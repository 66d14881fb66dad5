"""Fuzz every target for a while, two at once: `python -m tests.fuzz [--seconds N] [TARGET...]`. Findings are kept."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from concurrent.futures import ProcessPoolExecutor
from hashlib import sha256
from pathlib import Path
from random import Random

from tests.fuzz.mutation import mutated
from tests.fuzz.targets import TARGETS

SEEDS = Path(__file__).parent / "seeds"


def kept(name: str) -> list[str]:
    """Return the inputs that have broken a target once."""
    return [path.read_text("utf-8", "surrogatepass") for path in sorted(SEEDS.glob(f"{name}-*"))]


def fuzz(name: str, seconds: float, seed: int) -> tuple[str, int, dict[str, str]]:
    """Damage texts for a target; gives its name, how many it read, and what broke it, by the end of its traceback."""
    target, random = TARGETS[name], Random(seed)
    seeds = [*target.seeds, *kept(name)]
    until, count, found = time.monotonic() + seconds, 0, {}
    while time.monotonic() < until:
        count += 1
        text = mutated(random, random.choice(seeds))
        try:
            target.read(text)
        except target.refusals:
            continue
        except BaseException:
            found.setdefault(traceback.format_exc(limit=-3), text)
    return name, count, found


def main() -> int:
    """Fuzz, print what was found, and keep it."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--seconds", type=float, default=120.0, help="for each target (default 120)")
    parser.add_argument("--seed", type=int, default=time.time_ns())
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], metavar="TARGET")
    asked = parser.parse_args()
    names, broken = asked.targets or list(TARGETS), False
    print(f"seed {asked.seed}, {asked.seconds:g} s for each of {len(names)} targets, two at once")
    with ProcessPoolExecutor(2) as pool:
        for name, count, found in pool.map(fuzz, names, [asked.seconds] * len(names), [asked.seed] * len(names)):
            print(f"{name:14} {count:8} texts, {len(found)} findings", flush=True)
            for told, text in found.items():
                broken = True
                content = text.encode("utf-8", "surrogatepass")
                path = SEEDS / f"{name}-{sha256(content).hexdigest()[:12]}"
                path.write_bytes(content)
                print(f"{told}  kept as {path}")
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
