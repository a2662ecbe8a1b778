"""The database: all truth of the product stands in its tables."""

from sync.store.engine import Store

__all__ = ["Store"]
