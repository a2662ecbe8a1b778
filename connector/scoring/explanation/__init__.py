"""An assessment done again, step by step, and what would change it."""
