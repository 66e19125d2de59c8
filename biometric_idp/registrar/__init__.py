"""The registrar: the roll, and its half of every enrolment."""
