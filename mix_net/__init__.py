"""Verifiable re-encryption shuffle, and the mixer process (docs/spec/08-mixing.md)."""
