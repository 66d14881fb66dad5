"""Room reserved on a host, and the scheduling log."""
