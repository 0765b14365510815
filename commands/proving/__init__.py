"""What proves that nothing was rewritten: checkpoints, witnesses, proofs, bundles."""
