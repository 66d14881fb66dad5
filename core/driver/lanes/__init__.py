"""The lanes: one thread for each host, which owns its connection and polls it."""
