"""A small service of its own, run as a process: what ``services`` promises is tested on the wire."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from fastapi import FastAPI, Request
from pydantic import BaseModel, Field

from services.app import ServiceOptions, create_app
from services.batching import MicroBatcher
from services.logs import get_log
from services.problems import Problem, read_catalogue
from services.run import serve


class Note(BaseModel):
    text: str = Field(max_length=1000)


def make(port: int) -> FastAPI:
    options = ServiceOptions(
        hosts=[f"127.0.0.1:{port}"],
        own_origins=["https://own.example"],
        origins={"/open": ["https://vote.example"]},
        body_limits={"/large": 1_000_000},
        body_seconds=1.0,
        quiet=frozenset({"/quiet/{number}"}),
    )
    app = create_app("sample", read_catalogue(Path(__file__).with_name("sample.toml")), options)
    sizes: list[int] = []

    def work(items: Sequence[int]) -> list[int]:
        sizes.append(len(items))
        if 13 in items:
            raise ValueError("thirteen")
        return [item * item for item in items]

    batcher: MicroBatcher[int, int] = MicroBatcher(work, most=64)

    @app.post("/notes")
    @app.post("/open/notes")
    def echo(note: Note) -> dict[str, str]:
        get_log().info("note", text=note.text)
        return {"text": note.text}

    @app.post("/large")
    async def large(request: Request) -> int:
        return len(await request.body())

    @app.post("/refused")
    def refused() -> None:
        raise Problem("sample-refused", retry_after=7, left=2)

    @app.post("/broken")
    def broken() -> None:
        raise RuntimeError("a secret that no client may see")

    @app.get("/square/{number}")
    async def square(number: int) -> int:
        if batcher._task is None:
            batcher.start()
        return await batcher.submit(number)

    @app.get("/quiet/{number}")
    def quiet(number: int) -> int:
        if number == 1:
            raise Problem("sample-refused")
        if number == 13:
            raise RuntimeError("thirteen")
        return number

    @app.get("/sizes")
    async def batch_sizes() -> list[int]:
        return sizes

    return app


if __name__ == "__main__":
    serve("sample", make, "127.0.0.1", int(sys.argv[1]))
