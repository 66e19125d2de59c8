"""Enrolment: from PIN and document to a sign-in passkey, one step after the other."""
