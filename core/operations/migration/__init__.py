"""Migration: checks, target, live and offline moves, and what an interrupted one leaves."""
