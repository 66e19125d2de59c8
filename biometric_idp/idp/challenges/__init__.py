"""WebAuthn challenges: single-use, expiring, bound to what they were made for."""
