"""From rows of claims, payments and credits to a ledger: what was owed, when it was paid, and by what."""
