"""HOCON files, read with the place of every value, checked, and made into a typed configuration."""
