"""Liveness and face: sessions of frames, the match with the register's portrait, templates in the vault."""
