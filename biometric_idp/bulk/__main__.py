"""Entry point of ``python -m biometric_idp.bulk``."""

from __future__ import annotations

import sys

from biometric_idp.bulk.cli import main

sys.exit(main())
