"""The only place that talks to libvirt: connections, host lanes, polling, events (specification, section 7)."""
