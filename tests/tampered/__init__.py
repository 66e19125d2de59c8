"""Records with exactly one defect each, and the check that must reject it.

A case is a ``SmallElection`` with one method overridden: the corrupt party signs its defect, and everybody after it
builds on it in good faith, so that nothing cheaper catches it. ``python -m tests.tampered`` writes them all for authors
of other verifiers; ``tests/verifier/test_tampered.py`` runs our own verifier against them.
"""
