"""CRMs that a YAML connector file describes: its wire, and nothing of credit."""
