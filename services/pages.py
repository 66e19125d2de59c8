"""Static pages under a strict policy: exactly the files that were there at start, each under exactly one path.

    python -m services.pages web/dist/voting --host-name vote.localhost --port 8443

Everything is read into memory once. A request is a look-up of its path in a table, so there is nothing to traverse, no
listing, and no way to a file that came later. The media type follows from a short list; others are refused at start.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

from fastapi import FastAPI
from fastapi.responses import Response
from starlette.requests import Request

from services.app import ServiceOptions, create_app
from services.errors import ConfigError, ServiceError
from services.problems import read_catalogue
from services.run import serve

MEDIA_TYPES = {
    ".cbor": "application/cbor",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
_INDEX = "index.html"
_MOST_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Page:
    """One file: bytes, media type, strong entity tag."""

    data: bytes
    media_type: str
    tag: str


def page_of(data: bytes, suffix: str) -> Page:
    """A page of the media type that the suffix stands for."""
    return Page(data, MEDIA_TYPES[suffix], f'"{sha256(data).hexdigest()[:32]}"')


def read_pages(directories: Iterable[Path]) -> Mapping[str, Page]:
    """Pages by path; ``a/index.html`` is under ``/a/``, every other file under its own name.

    Raises:
        ConfigError: no such directory, a path twice, a link, a file of unknown type, or more than 64 MiB.
    """
    pages: dict[str, Page] = {}
    size = 0
    for root in directories:
        if not root.is_dir():
            raise ConfigError(f"{root}: no such directory of pages (make web builds them)")
        for file in sorted(root.rglob("*")):
            if file.is_symlink():
                raise ConfigError(f"{file}: links are not served")
            if file.is_dir():
                continue
            name = file.relative_to(root).as_posix()
            path = "/" + (name.removesuffix(_INDEX) if file.name == _INDEX else name)
            if file.suffix not in MEDIA_TYPES:
                raise ConfigError(f"{file}: files of this type are not served")
            if path in pages:
                raise ConfigError(f"{file}: {path} is there already")
            data = file.read_bytes()
            size += len(data)
            if size > _MOST_BYTES:
                raise ConfigError(f"{root}: more than {_MOST_BYTES} bytes of pages")
            pages[path] = page_of(data, file.suffix)
    return MappingProxyType(pages)


def page_policy(connect: Sequence[str] = ()) -> str:
    """The Content-Security-Policy of pages: own files only, no inline script, no eval, no frame around or inside.

    Args:
        connect: origins of other hosts that the pages may call.
    """
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            " ".join(["connect-src 'self'", *connect]),
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ]
    )


def page_headers(connect: Sequence[str] = (), *, camera: bool = False) -> dict[str, str]:
    """Headers of every page and asset."""
    own = "(self)"
    features = {
        "camera": own if camera else "()",
        "geolocation": "()",
        "microphone": "()",
        "publickey-credentials-create": own,
        "publickey-credentials-get": own,
    }
    return {
        "cache-control": "no-cache",
        "content-security-policy": page_policy(connect),
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": ", ".join(f"{name}={value}" for name, value in features.items()),
    }


def add_pages(
    app: FastAPI,
    pages: Mapping[str, Page],
    *,
    connect: Sequence[str] = (),
    camera: bool = False,
    also: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Serve pages beside the routes that the application has; call it after those were added.

    Args:
        also: further paths of a page, such as an address that another service sends people to: path -> page's path.

    Raises:
        ConfigError: ``also`` names a page that is not there.
    """
    # A path with one slash more is another path, which is not there.
    app.router.redirect_slashes = False
    headers = page_headers(connect, camera=camera)
    table = dict(pages)
    for path, target in also.items():
        if target not in pages:
            raise ConfigError(f"there is no page {target} to serve at {path}")
        table[path] = pages[target]
    for path, page in table.items():
        app.add_api_route(
            path, _endpoint(page, headers), methods=["GET", "HEAD"], include_in_schema=False, response_model=None
        )


def _endpoint(page: Page, headers: Mapping[str, str]) -> Callable[[Request], Coroutine[None, None, Response]]:
    async def endpoint(request: Request) -> Response:
        tagged = {**headers, "etag": page.tag}
        if page.tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=tagged)
        return Response(page.data, media_type=page.media_type, headers=tagged)

    return endpoint


def pages_app(
    directories: Sequence[Path], hosts: Sequence[str], connect: Sequence[str], *, camera: bool = False
) -> FastAPI:
    """A host that serves pages and nothing else."""
    app = create_app("pages", read_catalogue(), ServiceOptions(hosts, body_limit=0))
    add_pages(app, read_pages(directories), connect=connect, camera=camera)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m services.pages",
        description="Serve directories of static pages for tests and demonstrations, with a strict policy.",
        epilog="Prints one JSON line with the port on stdout when it listens.",
    )
    parser.add_argument(
        "directories", nargs="+", type=Path, metavar="DIR", help="directory of pages, as `make web` builds"
    )
    parser.add_argument("--host-name", action="append", required=True, help="name in the Host header; repeatable")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, default=0, help="port; 0, the default, takes a free one")
    parser.add_argument("--camera", action="store_true", help="pages may ask for the camera")
    parser.add_argument("--connect", action="append", default=[], metavar="ORIGIN", help="origin that pages may call")
    options = parser.parse_args(arguments)
    try:
        # Before the port is bound, so that a wrong directory is said in one line.
        read_pages(options.directories)
        serve(
            "pages",
            lambda port: pages_app(
                options.directories,
                [f"{name}:{port}" for name in options.host_name],
                options.connect,
                camera=options.camera,
            ),
            options.host,
            options.port,
        )
    except ServiceError as error:
        print(f"pages: error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
