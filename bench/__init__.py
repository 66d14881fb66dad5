"""Benchmarks: `python -m bench`. Figures of this program beside those of a peer measured in the same run."""
