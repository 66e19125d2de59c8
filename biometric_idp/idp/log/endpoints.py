"""``/v1/elections/{id}/enrolment-log``."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from hashlib import sha256

from fastapi import APIRouter, Request, Security
from fastapi.responses import Response, StreamingResponse

from biometric_idp.files import frame_item
from biometric_idp.idp.context import BEARER, Idp, Service
from biometric_idp.issuer.office import ENROLMENT_LINE
from biometric_idp.logs.online import OnlineLog
from biometric_idp.shared.answers import BYTES, NOTE, raw
from biometric_idp.shared.fields import Id
from crypto.log.errors import LogFormatError
from crypto.log.tiles import TILE_WIDTH, encode_bundle, parse_tile_path
from services.problems import Problem

router = APIRouter(prefix="/v1/elections/{election}/enrolment-log")


def _log(idp: Idp, election: str) -> OnlineLog:
    return idp.logs[idp.election_by_id(election).id]


def _require_reader(idp: Idp, request: Request) -> None:
    """An auditor's, issuer's or registrar's token.

    Raises:
        Problem: ``reader-needed``.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    given = sha256(token.encode()).hexdigest()
    known = [hmac.compare_digest(given, digest) for digest in idp.config.log.readers.values()]
    if scheme.lower() != "bearer" or not any(known):
        raise Problem("reader-needed")


@router.get("/checkpoint", response_class=Response, responses=raw(NOTE, "A signed note"))
def checkpoint(election: Id, idp: Service) -> Response:
    """The last published checkpoint with its cosignatures."""
    note = _log(idp, election).checkpoint()
    if note is None:
        raise Problem("not-found")
    return Response(note, media_type="text/plain; charset=utf-8")


@router.get("/tile/{path:path}", response_class=Response, responses=raw(BYTES, "Hashes, or a bundle of entries"))
def tile(election: Id, path: str, idp: Service, request: Request) -> Response:
    """A hash tile, or a bundle of entries for accredited readers (C2SP tlog-tiles)."""
    try:
        wanted = parse_tile_path(f"tile/{path}")
    except LogFormatError:
        raise Problem("not-found") from None
    log = _log(idp, election)
    if wanted.level is not None:
        hashes = log.hash_tile(wanted.level, wanted.index, wanted.width)
        if hashes is None:
            raise Problem("not-found")
        return Response(hashes, media_type="application/octet-stream")
    _require_reader(idp, request)
    published = log.published()
    if published is None or wanted.end > published.size:
        raise Problem("not-found")
    start = wanted.index * TILE_WIDTH
    entries = list(log.entries(start, start + wanted.width))
    return Response(encode_bundle(entries), media_type="application/octet-stream")


@router.get(
    "/enrolment-log.bin",
    response_class=StreamingResponse,
    responses=raw(BYTES, "The file"),
    dependencies=[Security(BEARER)],
)
def whole(election: Id, idp: Service, request: Request) -> StreamingResponse:
    """All entries up to the published checkpoint, as the file of docs/spec/05-credentials.md section 5.10."""
    _require_reader(idp, request)
    log = _log(idp, election)
    published = log.published()
    size = 0 if published is None else published.size

    def chunks() -> Iterator[bytes]:
        yield ENROLMENT_LINE
        for entry in log.entries(0, size):
            yield frame_item(entry)

    return StreamingResponse(chunks(), media_type="application/octet-stream", headers={"evoting-log-size": str(size)})
