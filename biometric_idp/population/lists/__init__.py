"""Signed voter lists: the preliminary list, the final list with the biometric merge, and the roll drawn from it."""
