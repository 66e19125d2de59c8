"""Does some test notice when a check of the verifier does nothing? ``python -m tests.mutation``; see README.md."""
