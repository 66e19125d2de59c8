"""Idempotency keys: the same request again gives the same answer, another one under its key is refused (attack A4)."""
