"""The wizard that adds a host."""
