"""Commands that ask placement: place and replay."""
