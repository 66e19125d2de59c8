"""Deleting what has outlived its purpose, and proving it."""
