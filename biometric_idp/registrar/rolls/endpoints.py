"""``/v1/elections/{id}/roll``: a citizen's own position and its proof."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Security
from fastapi.security import HTTPBearer

from biometric_idp.errors import FormatError
from biometric_idp.registrar.context import Registrar, registrar_of
from biometric_idp.registrar.rolls.repository import RollRepository
from biometric_idp.shared.answers import COUNT, HEX32, TEXT, answer, many
from biometric_idp.shared.fields import Id, decode_base64url
from biometric_idp.shared.inquiry import Inquiry, decode_inquiry
from services.database import reading
from services.problems import Problem

router = APIRouter(prefix="/v1/elections")
_DAY = 86_400
#: The registrar's number among those who are asked about a position.
REGISTRAR = 0


async def bearer_inquiry(request: Request) -> Inquiry:
    """The inquiry in the Authorization header.

    Raises:
        Problem: ``inquiry-refused``.
    """
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    try:
        if scheme.lower() != "bearer":
            raise ValueError("no bearer token")
        return decode_inquiry(decode_base64url(text))
    except (ValueError, FormatError):
        raise Problem("inquiry-refused") from None


_BEARER = HTTPBearer(auto_error=False, description="An inquiry of the identity provider, for issuer 0.")
_PROOF = answer(position=COUNT, style=TEXT, salt=TEXT, path=many(HEX32), size=COUNT, commitment=HEX32)


@router.get("/{election}/roll/proof", responses=_PROOF, dependencies=[Security(_BEARER)])
def roll_proof(
    election: Id,
    inquiry: Annotated[Inquiry, Depends(bearer_inquiry)],
    registrar: Annotated[Registrar, Depends(registrar_of)],
) -> dict[str, object]:
    """What shows a citizen that they are on the roll, with an inquiry that the identity provider signed today."""
    known = registrar.election_by_id(election)
    today = registrar.clock() // _DAY
    with reading(registrar.committer.engine) as db:
        head = RollRepository(db).head(known.id)
        if (
            head is None
            or head.fingerprint != inquiry.fingerprint
            or inquiry.issuer != REGISTRAR
            or abs(inquiry.date - today) > 1
            or not inquiry.holds(bytes.fromhex(known.identity_provider))
        ):
            raise Problem("inquiry-refused")
        proof = registrar.prover.prove(db, known.id, inquiry.position)
    if proof is None:
        raise Problem("inquiry-refused")
    return {
        "position": proof.position,
        "style": proof.style,
        "salt": proof.salt.hex(),
        "path": [node.hex() for node in proof.path],
        "size": proof.size,
        "commitment": proof.commitment.hex(),
    }
