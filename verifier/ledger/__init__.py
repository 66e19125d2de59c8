"""The accredited auditor's checks of issuers' ledgers, and a citizen's check of one position.

docs/spec/05-credentials.md sections 5.7 and 5.12. Written from the specification; of this project it imports the group
arithmetic only, as the rest of the verifier.
"""
