"""The area Hosts."""
