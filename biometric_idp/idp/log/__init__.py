"""The enrolment log as it is served: checkpoints and tiles to everybody, entries to accredited readers."""
