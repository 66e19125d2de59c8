"""The registrar's own way to citizens: SMS, e-mail, and files for model elections, behind one outbox."""
