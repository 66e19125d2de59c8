"""OpenID Connect Discovery 1.0 section 3, and RFC 8414 and 9207."""

from __future__ import annotations

from biometric_idp.idp.oidc.config import AUTHENTICATIONS, SCOPES
from biometric_idp.idp.oidc.keys import ALGORITHM
from biometric_idp.idp.oidc.levels import ACR_VALUES
from services.problems import LANGUAGES


def metadata(issuer: str) -> dict[str, object]:
    """What the provider can do. It does less than it could: what is left out or false is refused, too."""
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oidc/authorize",
        "token_endpoint": f"{issuer}/oidc/token",
        "userinfo_endpoint": f"{issuer}/oidc/userinfo",
        "jwks_uri": f"{issuer}/oidc/jwks",
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "acr_values_supported": list(ACR_VALUES),
        "subject_types_supported": ["pairwise", "public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "token_endpoint_auth_methods_supported": list(AUTHENTICATIONS),
        "token_endpoint_auth_signing_alg_values_supported": [ALGORITHM],
        "code_challenge_methods_supported": ["S256"],
        "claim_types_supported": ["normal"],
        "claims_supported": [
            "iss",
            "sub",
            "aud",
            "exp",
            "iat",
            "auth_time",
            "nonce",
            "acr",
            "amr",
            "at_hash",
            "name",
            "pin",
        ],
        "prompt_values_supported": ["none", "login", "select_account"],
        "ui_locales_supported": list(LANGUAGES),
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "authorization_response_iss_parameter_supported": True,
    }
