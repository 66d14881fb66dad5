"""The area Tasks."""
