"""Trying zixin without a CRM: the demo, the generator of portfolios, simulated CRMs."""
