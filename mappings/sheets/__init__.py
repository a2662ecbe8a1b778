"""Sheets as people have them: marks, signs, units and orders of day and month are decided by the column."""
