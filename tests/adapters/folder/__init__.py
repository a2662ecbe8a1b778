"""The folder."""
