"""Accounts: one for each person, made when the first passkey is registered."""
