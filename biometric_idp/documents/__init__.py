"""Identity documents: machine-readable zones and passive authentication of chips (ICAO Doc 9303)."""
