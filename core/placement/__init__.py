"""Which host takes a VM, at what cost, and why the others don't: pure functions of a configuration and a fleet."""
