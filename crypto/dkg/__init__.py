"""Distributed key generation with named culprits (docs/spec/04-ceremonies.md).

- ``parameters``, ``messages``: what a ceremony is about, and its signed messages;
- ``verdict``: who is to blame after a round, from public messages alone;
- ``participant``: the four rounds as types, each step consuming the one before;
- ``transcript``, ``audit``: the public record of all attempts, and everything recomputed from it;
- ``driver``, ``files``: the ceremony as a pure function of a participant's state and a directory of message files, for
  the thin file layers of trustees and issuers.

Nothing in here reads a file, a clock or a random generator.
"""
