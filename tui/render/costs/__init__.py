"""Costs as rows, words and plots."""
