"""Credential issuers: checks, durable ledger, statements."""
