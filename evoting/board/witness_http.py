"""``evoting-witness serve``: a log witness over HTTP, byte by byte as C2SP tlog-witness has it.

``POST /add-checkpoint`` answers 200 with signature lines, 409 with the size that it remembers, or 400, 403, 404 or 422
with a sentence. Requests need no account: the log's own signature on the checkpoint is what lets one in.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from crypto.log.errors import WitnessRefusal
from crypto.log.witness import CONFLICT, decode_request
from evoting.board.errors import BoardError
from evoting.board.witness import LogWitness
from services.app import ServiceOptions, create_app
from services.logs import get_log
from services.problems import Problem, read_catalogue

SIZE_TYPE = "text/x.tlog.size"
#: A note of 64 KiB and the longest proof.
MAX_BODY_BYTES = 73_728
_TEXT = "text/plain; charset=utf-8"
_PROBLEMS = Path(__file__).parent / "witness_problems.toml"

router = APIRouter()


@router.post(
    "/add-checkpoint",
    response_class=Response,
    openapi_extra={"requestBody": {"required": True, "content": {"text/plain": {"schema": {"type": "string"}}}}},
    responses={
        200: {"description": "Cosignature lines", "content": {"text/plain": {"schema": {"type": "string"}}}},
        409: {"description": "The size that was cosigned last", "content": {SIZE_TYPE: {"schema": {"type": "string"}}}},
        **{
            code: {"description": "Why not", "content": {"text/plain": {"schema": {"type": "string"}}}}
            for code in (400, 403, 404, 422)
        },
    },
)
async def add_checkpoint(request: Request) -> Response:
    """Cosign a checkpoint that extends what was cosigned before."""
    body = await request.body()
    return await run_in_threadpool(_answer, request.app.state.witness, body, request.app.state.clock())


def _answer(witness: LogWitness, body: bytes, now: int) -> Response:
    try:
        line = witness.cosign(decode_request(body), now)
    except WitnessRefusal as refusal:
        if refusal.status == CONFLICT:
            # As a header: for a media type of text the framework would add a charset, which the standard does not have.
            return Response(f"{refusal.size}\n", CONFLICT, {"content-type": SIZE_TYPE})
        return Response(f"{refusal}\n", refusal.status, media_type=_TEXT)
    except (BoardError, OSError) as error:
        get_log().error("witness-unusable", kind=type(error).__name__, reason=str(error)[:500])
        raise Problem("witness-unusable") from error
    return Response(line.encode(), media_type=_TEXT)


def create_witness_app(
    witness: LogWitness, host_names: Sequence[str], port: int, *, clock: Callable[[], int] = lambda: int(time.time())
) -> FastAPI:
    """The application of one witness.

    Args:
        host_names: names in Host headers; one without a port is also meant with ``port``.
    """
    hosts = [value for name in host_names for value in ([name] if ":" in name else [name, f"{name}:{port}"])]

    def ready() -> None:
        for key in witness.logs:
            witness.head(key.name)

    app = create_app(
        "Log witness", read_catalogue(_PROBLEMS), ServiceOptions(hosts, body_limit=MAX_BODY_BYTES), ready=ready
    )
    app.state.witness = witness
    app.state.clock = clock
    app.include_router(router)
    return app
