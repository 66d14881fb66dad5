"""Tasks: steps, progress, rollback and the journal."""
