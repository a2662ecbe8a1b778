"""A portfolio folder beside a CRM: files that somebody puts there, read at each run."""
