"""Proof that a score is worth something: how well it foretold lateness."""
