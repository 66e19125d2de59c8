"""Plumbing of every HTTP service: limits, hosts, errors that people can read, databases, logs. It knows no election."""
