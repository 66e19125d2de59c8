"""What a trustee does: its part of the key ceremony, decryption, and the destruction of its key share.

Everything travels as files. The secrets of a trustee stay in a directory of its own.
"""
