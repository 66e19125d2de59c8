"""Sessions: bearer tokens, of which only the hash is stored. There are no cookies."""
