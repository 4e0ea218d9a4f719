"""What running Media Ledger costs: calls per job, what they are billed as, and prices with their dates."""
