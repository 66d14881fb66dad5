"""From snapshots to rows and cells: pure functions, no widget."""
