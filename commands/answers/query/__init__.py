"""SQL over named views of the ledger."""
