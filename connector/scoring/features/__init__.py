"""From a ledger to features of a customer: behaviour, sales, company, group, tendency."""
