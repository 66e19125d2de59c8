"""The checks of docs/spec/11-checks.md, one module for each group or few related groups."""
