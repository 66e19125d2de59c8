"""``make bench``: what the arithmetic, the proofs and a whole verification cost on this machine.

Every section runs as a process of its own, once on one core and once on all, so that peak memory and CPU time belong to
it alone. Ratios to the arithmetic floor are taken within one process.
"""
