"""WHAT: canonical schema, policy, scoring, plan, ports: no I/O, no clock, no randomness."""
