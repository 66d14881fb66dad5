"""The doctor: everything that hosts need, checked, with the command that fixes what is missing."""
