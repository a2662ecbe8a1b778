"""What adapters share: HTTP with its patience, outcomes, plans of fields, permissions, signatures."""
