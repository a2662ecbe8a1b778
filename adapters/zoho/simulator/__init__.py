"""A small server that speaks Zoho CRM API v8, with a ledger of every call; for tests, demos and trials."""
