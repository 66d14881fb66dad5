"""Commands that read the configuration: check, show, cost."""
