"""Tasks and the scheduling log as rows and words."""
