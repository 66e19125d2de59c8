"""Authlib's classes filled in. It has no type stubs, so calls into it are checked less strictly in this folder only."""
