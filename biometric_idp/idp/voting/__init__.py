"""Voting passkeys: hand-over to the voting host, registration, and the way through the registrar into the log."""
