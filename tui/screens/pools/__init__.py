"""The area Pools."""
