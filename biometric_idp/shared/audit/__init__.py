"""The audit log of a service: append-only, hash-chained, without secrets, names or numbers of persons."""
