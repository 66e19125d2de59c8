"""The way without biometrics: two officers at a consulate vouch for a person, and nothing can lock that way."""
