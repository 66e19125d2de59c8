"""Faces and fingerprints of the identity provider: matchers, liveness, and templates that are encrypted at rest.

Images enter as bytes, are measured in a worker process and are gone; only templates are kept (docs/identity.md).
"""
