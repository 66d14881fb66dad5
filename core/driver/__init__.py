"""The only place that talks to libvirt: connections, host lanes, polling, events (specification, section 7)."""

import os

# Libvirt writes warnings to standard error, which is the screen, and reads this once, when it is first imported.
os.environ.setdefault("LIBVIRT_LOG_OUTPUTS", "4:file:/dev/null")
