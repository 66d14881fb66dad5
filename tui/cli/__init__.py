"""The subcommands: each a thin layer over core.operations, for people and for scripts."""
