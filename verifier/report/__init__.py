"""Reports of a verification: text, JSON of a versioned schema, and a page that a browser shows."""
