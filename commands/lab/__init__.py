"""What the lab knows: reference values, subjects and their probes, who has which role."""
