"""DOORS: command line, settings, demo; the one place where parts are put together."""
