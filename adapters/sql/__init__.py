"""Databases that a company fills already, an ERP's own or a warehouse: read by SQL, never written."""
