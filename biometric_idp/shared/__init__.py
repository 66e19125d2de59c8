"""What identity provider and registrar have in common as services; each has its own process, database and keys."""
