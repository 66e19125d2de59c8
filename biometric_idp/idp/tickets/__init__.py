"""Tickets for requests of the signed-in person, and inquiries about their own roll position."""
