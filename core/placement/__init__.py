"""Which host takes a VM, at what cost, and why the others don't: pure functions of a configuration and a fleet.

- `engine`: the definition. `rank`, `place`, `judge`; on it `decision`, `comparison`, `remedies`, `sandbox`, `changes`.
- `ledger`: a fleet's use, changed in place and undone, for plans that ask thousands of times.
- Plans: `capacity`, `mix`, `drain`, `failure`, `rebalance`, `make_room`, `batch`; `demand` says which VMs may move, and
  `plan_rows` writes plans as JSON.
- Arrays, for thousands of hosts: `ranking` (one request), `stream` (equal VMs), `mixture` (several sizes), on `packed`
  and `vectors`. They load NumPy; nothing else here does. `quick` chooses the quicker of two equal ways.
"""
