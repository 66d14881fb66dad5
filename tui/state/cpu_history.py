"""The last few processor loads of each VM, for the small curve beside the figure."""

from collections import deque

from core.fleet.fleet import Fleet, VMKey

SAMPLES = 8
_STEPS = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"


class CpuHistory:
    """One sample for each VM and each answer of its host."""

    def __init__(self) -> None:
        self._seen: dict[str, float] = {}
        self._samples: dict[VMKey, deque[float]] = {}

    def add(self, fleet: Fleet) -> None:
        """Take the loads of hosts that have answered since the last time."""
        names = set()
        for snapshot in fleet.hosts:
            names.add(snapshot.name)
            observed = snapshot.observed_at
            if observed is None or self._seen.get(snapshot.name) == observed:
                continue
            self._seen[snapshot.name] = observed
            present = set()
            for vm in snapshot.vms:
                present.add(vm.key)
                if vm.cpu_percent is not None:
                    self._samples.setdefault(vm.key, deque(maxlen=SAMPLES)).append(vm.cpu_percent)
                else:
                    self._samples.pop(vm.key, None)
            self._forget(snapshot.name, present)
        for name in self._seen.keys() - names:
            del self._seen[name]
            self._forget(name, set())

    def _forget(self, host: str, present: set[VMKey]) -> None:
        gone = [key for key in self._samples if key[0] == host and key not in present]
        for key in gone:
            del self._samples[key]

    def curve(self, key: VMKey) -> str:
        """Draw a VM's samples as blocks, the newest at the right end; empty where there are none."""
        samples = self._samples.get(key)
        if samples is None:
            return ""
        curve = (_STEPS[min(len(_STEPS) - 1, max(0, int(load / 100 * len(_STEPS))))] for load in samples)
        return "".join(curve).rjust(SAMPLES)
