"""Entry point of ``python -m biometric_idp.population``."""

from __future__ import annotations

import sys

from biometric_idp.population.cli import main

sys.exit(main())
