"""Dialogs that every area uses."""
