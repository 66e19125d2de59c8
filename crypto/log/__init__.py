"""Transparency log mathematics: Merkle trees, tiles, signed notes, checkpoints, cosignatures, policies and receipts.

Pure functions over bytes, specified in docs/spec/02-log.md. Files belong to whoever keeps a log or a witness.
"""
