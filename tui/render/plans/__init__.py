"""Plans as rows and words."""
