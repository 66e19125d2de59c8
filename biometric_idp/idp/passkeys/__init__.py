"""Sign-in passkeys, and the verification of everything that an authenticator says."""
