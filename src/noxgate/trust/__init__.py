"""Who vouches for which bytes: keys, seals, records, attestations, verify."""
