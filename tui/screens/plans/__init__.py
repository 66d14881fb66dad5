"""The area Plans."""
