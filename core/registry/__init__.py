"""The registry: hosts and reservations in one TinyDB file that programs share (specification, sections 7, 8)."""
