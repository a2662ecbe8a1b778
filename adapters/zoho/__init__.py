"""Zoho CRM, API v8. Built against the published API, never run against a live tenant."""
