"""Processes that are killed: at named points, and at random moments under load."""
