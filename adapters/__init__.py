"""WHO: one folder a CRM: its wire, limits, errors, install and simulator."""
