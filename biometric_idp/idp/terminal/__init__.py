"""Tickets for voters without a voting passkey, at a terminal: two officers of the manifest act for them."""
