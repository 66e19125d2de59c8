"""An issuer as a service: ``evoting-issuer serve``."""
