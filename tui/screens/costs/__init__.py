"""The area Costs."""
