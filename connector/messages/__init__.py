"""What users read, in English and Chinese."""
