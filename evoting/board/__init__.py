"""Bulletin board: the transparency log of an election as plain files, its sequencer, and the log witness.

docs/spec/02-log.md. The mathematics is in ``crypto.log``; this package owns the files.
"""
