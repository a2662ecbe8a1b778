"""WHEN: store, pull, rescore, push."""
