"""NAMES: which field of a CRM holds what, and the loader that checks and applies it."""
