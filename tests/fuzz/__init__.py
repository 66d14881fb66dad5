"""Texts from outside, damaged at random: whatever reads them takes them, or refuses them with a word; nothing else."""
