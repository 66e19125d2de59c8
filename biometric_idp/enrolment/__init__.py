"""Passkeys and the enrolment log."""
