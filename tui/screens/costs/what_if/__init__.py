"""The what-if of the area Costs."""
