"""DOORS: what people and other systems touch, and where parts are put together."""
