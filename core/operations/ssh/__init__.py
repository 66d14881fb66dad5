"""The ssh key of this machine, and logins to hosts."""
