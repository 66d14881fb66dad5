"""Commands for hosts, the doctor and ssh keys."""
