"""Hostile and lawful requests made from the services' own OpenAPI documents."""
