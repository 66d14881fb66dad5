"""Storage pools of a host, and the volumes in them."""
