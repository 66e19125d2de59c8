"""Whole electorates for demonstrations and load tests: enrolment and issuance by files, in chunks.

Nothing is skipped: every voter has a passkey, every request an assertion and a ticket, and every issuer is a process of
its own that runs all its checks against its own ledger. What is missing is the network, and the voters' privacy from
this very process, which plays all of them.
"""
