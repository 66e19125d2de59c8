"""Passes over the whole log in chunks: memory is bounded by a chunk, never by the record."""
