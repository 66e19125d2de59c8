"""Options for ``navigator.credentials``: user verification required, discoverable passkeys, exact RP ID."""

from __future__ import annotations

import json
from collections.abc import Sequence

from webauthn import generate_authentication_options, generate_registration_options, options_to_json
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

Options = dict[str, object]


def creation_options(
    challenge: bytes,
    *,
    rp_id: str,
    rp_name: str,
    handle: bytes,
    user_name: str,
    seconds: int,
    is_attested: bool,
    algorithms: Sequence[COSEAlgorithmIdentifier],
    exclude: Sequence[bytes] = (),
) -> Options:
    """``PublicKeyCredentialCreationOptionsJSON``."""
    conveyance = AttestationConveyancePreference.DIRECT if is_attested else AttestationConveyancePreference.NONE
    return _json(
        options_to_json(
            generate_registration_options(
                rp_id=rp_id,
                rp_name=rp_name,
                user_id=handle,
                user_name=user_name,
                user_display_name=user_name,
                challenge=challenge,
                timeout=seconds * 1000,
                attestation=conveyance,
                authenticator_selection=AuthenticatorSelectionCriteria(
                    resident_key=ResidentKeyRequirement.REQUIRED,
                    require_resident_key=True,
                    user_verification=UserVerificationRequirement.REQUIRED,
                ),
                exclude_credentials=[PublicKeyCredentialDescriptor(id=item) for item in exclude],
                supported_pub_key_algs=list(algorithms),
            )
        )
    )


def request_options(challenge: bytes, *, rp_id: str, seconds: int, allow: Sequence[bytes] = ()) -> Options:
    """``PublicKeyCredentialRequestOptionsJSON``; no list of credentials, so that nothing tells who has one."""
    return _json(
        options_to_json(
            generate_authentication_options(
                rp_id=rp_id,
                challenge=challenge,
                timeout=seconds * 1000,
                allow_credentials=[PublicKeyCredentialDescriptor(id=item) for item in allow],
                user_verification=UserVerificationRequirement.REQUIRED,
            )
        )
    )


def _json(text: str) -> Options:
    value = json.loads(text)
    assert isinstance(value, dict)
    return value
