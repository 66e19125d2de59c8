"""Sign-in by passkey, and by policy a fresh face check after it."""
