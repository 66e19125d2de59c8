"""The roll by person: which position and ballot style is whose. Only the registrar knows it."""
