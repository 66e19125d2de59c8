"""Independent verification of an election record, written from ``docs/spec`` and nothing else.

Of this project it imports the group arithmetic (``crypto.group``, ``crypto.errors``) only: never the protocol code that
produced what it checks.
"""
