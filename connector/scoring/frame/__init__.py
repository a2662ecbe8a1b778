"""What every step of scoring speaks in: columns, keys of customers and policies, windows of days, ranks of grades."""
