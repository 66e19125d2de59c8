"""All tables of the registrar; each domain folder adds its own."""

from __future__ import annotations

from sqlalchemy import MetaData

from biometric_idp.shared.audit.models import audit_tables
from biometric_idp.shared.officers import officer_table
from biometric_idp.shared.rates import rate_table

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
METADATA = MetaData(naming_convention=NAMING)
AUDIT = audit_tables(METADATA)
RATE = rate_table(METADATA)
OFFICER_COUNTER = officer_table(METADATA)
