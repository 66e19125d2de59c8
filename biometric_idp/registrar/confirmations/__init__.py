"""Enrolments that wait for their citizen, and the one-time codes that confirm them."""
