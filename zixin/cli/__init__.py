"""The command line."""

from zixin.cli.main import main

__all__ = ["main"]
