"""Rules of the credit desk: orders, decisions of people, what stops a run."""
