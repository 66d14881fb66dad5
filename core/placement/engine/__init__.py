"""The decision: costs, verdicts and refusals on one fleet, and the ledger that plans change in place."""
