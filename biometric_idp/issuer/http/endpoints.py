"""Endpoints of an issuer. None knows a person: requests and inquiries name roll positions."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from fastapi import APIRouter, Request, Response, Security
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from biometric_idp.errors import FormatError
from biometric_idp.files import frame_item
from biometric_idp.issuer.http.desk import Desk
from biometric_idp.issuer.office import ledger_file_head
from biometric_idp.issuer.position_tree import proof_to_json
from biometric_idp.request import Answer, Refusal
from biometric_idp.shared.answers import (
    BYTES,
    CBOR,
    COUNT,
    DAYS,
    HEX32,
    NOTE,
    SECONDS,
    TEXT,
    TEXTS,
    Responses,
    Schema,
    answer,
    body,
    many,
    maybe,
    members,
    one_of,
    raw,
)
from biometric_idp.shared.inquiry import Inquiry, decode_inquiry
from crypto.log.checkpoint import decode_checkpoint_text
from crypto.log.note import decode_note
from services.batching import MicroBatcher
from services.problems import Problem

router = APIRouter(prefix="/v1")
#: Status of each signed refusal (docs/spec/05-credentials.md section 5.5); all others are 403.
REFUSAL_STATUS = {"malformed": 400, "already-issued": 409}
#: Entries of an export in one piece.
_PAGE = 512
_REFUSAL = {
    "description": "A signed refusal with its code in ``evoting-refusal``; or a problem",
    "headers": {"evoting-refusal": {"description": "Set for a signed refusal.", "schema": {"type": "string"}}},
    "content": {CBOR: {"schema": {"type": "string", "format": "binary"}}},
}
#: Only for the OpenAPI document; ``Desk.is_auditor`` judges the token.
_AUDITOR = HTTPBearer(auto_error=False, description="The token of an accredited auditor.")
_STATEMENT: dict[str, Schema] = {"size": COUNT, "root": HEX32, "tree-size": COUNT, "time": SECONDS, "signature": TEXT}
_TREE: Responses = {
    200: {"content": {"application/json": {"schema": members(issuer=COUNT, fingerprint=HEX32, **_STATEMENT)}}}
}
_COUNTS = answer(issuer=COUNT, size=COUNT, date=DAYS, issued=many(members(style=TEXT, count=COUNT, terminal=COUNT)))
_ENTRY = members(status=COUNT, message=TEXTS, next=TEXTS)
_CATALOGUE: Responses = {
    200: {"content": {"application/json": {"schema": {"type": "object", "additionalProperties": _ENTRY}}}}
}
_POSITION = answer(
    format=one_of("evoting-position-proof/v1"),
    fingerprint=HEX32,
    issuer=COUNT,
    position=COUNT,
    issued=maybe(HEX32),
    salt=TEXT,
    path=many(HEX32),
    statement=members(**_STATEMENT),
)


class InquiryBody(BaseModel):
    """An inquiry of the identity provider, base64url without padding."""

    model_config = ConfigDict(extra="forbid")

    inquiry: str = Field(max_length=1400)


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


@router.post(
    "/issuances",
    response_class=Response,
    openapi_extra=body(CBOR),
    responses={**raw(CBOR, "The issuer's answer"), **dict.fromkeys((400, 403, 409), _REFUSAL)},
)
async def issue(request: Request) -> Response:
    """Answer a request for a credential, or refuse it with a signature."""
    if request.headers.get("content-type", "") != CBOR:
        raise Problem("unsupported-encoding")
    batcher: MicroBatcher[bytes, Answer | Refusal] = request.app.state.batcher
    answer = await batcher.submit(await request.body())
    if isinstance(answer, Answer):
        return Response(answer.encode(), media_type=CBOR)
    status = REFUSAL_STATUS.get(answer.code, 403)
    return Response(answer.encode(), status, {"evoting-refusal": answer.code}, CBOR)


@router.get("/problems", responses=_CATALOGUE)
async def problems(request: Request) -> JSONResponse:
    """The sentences for every code, in every language, for pages to show."""
    entries = request.app.state.catalogue.entries
    return JSONResponse(
        {
            code: {"status": entry.status, "message": dict(entry.message), "next": dict(entry.next)}
            for code, entry in entries.items()
        }
    )


@router.get("/ledger/checkpoint", response_class=Response, responses=raw(NOTE, "A signed note"))
def checkpoint(request: Request) -> Response:
    """The ledger's last published checkpoint, signed and cosigned."""
    note = _desk(request).log.checkpoint()
    if note is None:
        raise Problem("not-published-yet", retry_after=5)
    return Response(note, media_type="text/plain; charset=utf-8")


@router.get("/ledger/counts", responses=_COUNTS)
def counts(request: Request) -> JSONResponse:
    """How many credentials were issued, per ballot style, up to the published checkpoint."""
    desk = _desk(request)
    counted = desk.counts()
    if counted is None:
        raise Problem("not-published-yet", retry_after=5)
    size, by_style = counted
    issued = []
    for style, _ in desk.policy.styles:
        count, terminal = by_style.get(style, (0, 0))
        issued.append({"style": style, "count": count, "terminal": terminal})
    return JSONResponse({"issuer": desk.keys.index, "size": size, "date": desk.today(), "issued": issued})


@router.get("/ledger/tree", responses=_TREE)
def tree(request: Request) -> JSONResponse:
    """The last signed statement of the tree of roll positions."""
    statement = _desk(request).tree_statement()
    if statement is None:
        raise Problem("not-published-yet", retry_after=5)
    return JSONResponse(statement.to_json())


@router.post("/positions", responses=_POSITION)
def position(request: Request, asked: InquiryBody) -> JSONResponse:
    """What the last signed tree says about the asking person's own position (attack C12)."""
    desk = _desk(request)
    inquiry = _accepted(desk, asked.inquiry)
    proved = desk.prove(inquiry.position)
    if proved is None:
        raise Problem("not-published-yet", retry_after=5)
    proof, statement = proved
    return JSONResponse(proof_to_json(proof, statement, desk.policy.fingerprint, desk.keys.index))


def _accepted(desk: Desk, text: str) -> Inquiry:
    """The inquiry, if it is this identity provider's for this issuer, of these days, about the roll."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        inquiry = decode_inquiry(data)
    except (binascii.Error, ValueError, FormatError):
        raise Problem("inquiry-refused") from None
    fits = (
        inquiry.fingerprint == desk.policy.fingerprint
        and inquiry.issuer == desk.keys.index
        and abs(inquiry.date - desk.today()) <= 1
        and inquiry.position < len(desk.roll)
    )
    if not fits or not inquiry.holds(desk.policy.enrolment.identity_provider):
        raise Problem("inquiry-refused")
    return inquiry


@router.get(
    "/ledger/export",
    response_class=StreamingResponse,
    responses=raw(BYTES, "The file"),
    dependencies=[Security(_AUDITOR)],
)
async def export(request: Request) -> StreamingResponse:
    """The entries up to the published checkpoint, for an accredited auditor (section 5.10, ``ledger``)."""
    desk = _desk(request)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not desk.is_auditor(token):
        raise Problem("auditor-only")
    desk.require_in_service()
    note = await run_in_threadpool(desk.log.checkpoint)
    if note is None:
        raise Problem("not-published-yet", retry_after=5)
    size = decode_checkpoint_text(decode_note(note.encode()).text).size

    def chunks() -> Iterator[bytes]:
        yield ledger_file_head(desk.policy.fingerprint, desk.keys.index, note)
        for start in range(0, size, _PAGE):
            yield b"".join([frame_item(entry) for entry in desk.log.entries(start, min(start + _PAGE, size))])

    return StreamingResponse(chunks(), media_type="application/octet-stream")
