"""One HTTP/1.1 exchange with a security server: mutual TLS, one deadline, a bounded answer, no redirects, no proxies.

``http.client`` is used because the order of headers is part of the request hash, and nothing may be added to them.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from biometric_idp.errors import FormatError
from biometric_idp.population.register import RegisterError, RegisterUnavailable


@dataclass(frozen=True)
class Answer:
    """An answer as it came; header names keep their case and order."""

    status: int
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)

    def header(self, name: str) -> str | None:
        """The value of a header that must not come twice.

        Raises:
            RegisterError: ``register-answer`` where it does.
        """
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        if len(values) > 1:
            raise RegisterError("register-answer", f"the answer has the header {name} twice")
        return values[0] if values else None


def tls_context(ca: Path, certificate: Path, key: Path) -> ssl.SSLContext:
    """A client's context that trusts this authority and no other, and shows this certificate.

    Raises:
        FormatError: a file cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cafile=str(ca))
    except (OSError, ssl.SSLError) as error:
        raise FormatError(f"{ca}: {_reason(error)}") from None
    try:
        # Without a password function OpenSSL would ask at the terminal.
        context.load_cert_chain(str(certificate), str(key), password=lambda: b"")
    except (OSError, ssl.SSLError) as error:
        raise FormatError(f"{certificate}, {key}: {_reason(error)}") from None
    return context


class Exchanger:
    """Sends requests to one server. Threads may share it: every exchange has a connection of its own."""

    def __init__(
        self, host: str, port: int, server_name: str, context: ssl.SSLContext, connect_seconds: float, most: int
    ) -> None:
        self._address = (host, port)
        self._server_name = server_name
        self._context = context
        self._connect_seconds = connect_seconds
        self._most = most

    def exchange(
        self, method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes | None, seconds: float
    ) -> Answer:
        """Send a request and read its answer within ``seconds``, connecting included.

        Raises:
            NotSent: nothing of the request can have arrived.
            RegisterUnavailable: ``register-unavailable``, ``register-timeout``, ``register-tls``.
            RegisterError: ``register-answer`` or ``register-too-large``.
        """
        try:
            plain = socket.create_connection(self._address, min(self._connect_seconds, seconds))
        except TimeoutError:
            raise NotSent("the register does not answer in time", "register-timeout") from None
        except OSError as error:
            raise NotSent(f"the register cannot be reached: {_reason(error)}") from None
        # A single deadline for everything: a peer that sends a byte now and then would outlast any socket's time-out.
        expired = threading.Event()

        def stop() -> None:
            expired.set()
            with suppress(OSError):
                plain.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(seconds, stop)
        timer.daemon = True
        with plain:
            timer.start()
            try:
                answer = self._talk(plain, method, target, headers, body, seconds)
            except (OSError, http.client.HTTPException, RegisterError) as error:
                if expired.is_set() or isinstance(error, TimeoutError):
                    raise RegisterUnavailable("the register does not answer in time", "register-timeout") from None
                raise _refusal(error) from None
            finally:
                timer.cancel()
            return answer

    def _talk(
        self, plain: socket.socket, method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes | None,
        seconds: float,
    ) -> Answer:  # fmt: skip
        plain.settimeout(seconds)
        # Wrapping takes the descriptor away from ``plain``; a duplicate lets the deadline still reach it.
        with self._context.wrap_socket(plain.dup(), server_hostname=self._server_name) as channel:
            connection = http.client.HTTPConnection(*self._address)
            connection.sock = channel
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            if response.length is None and not response.chunked:
                # Its end could not be told from a connection that somebody cut.
                raise RegisterError("register-answer", "the answer does not state its length")
            data = response.read(self._most + 1)
            if len(data) > self._most:
                raise RegisterError("register-too-large", f"the answer has more than {self._most} bytes")
            if response.length:
                raise http.client.IncompleteRead(b"", response.length)
            return Answer(response.status, tuple(response.getheaders()), data)


class NotSent(RegisterUnavailable):
    """The server was not reached, so nothing of the request can have arrived."""


def _refusal(error: Exception) -> RegisterError:
    if isinstance(error, RegisterError):
        return error
    if isinstance(error, ssl.SSLEOFError | ConnectionError):
        return RegisterUnavailable("the register closed the connection")
    if isinstance(error, ssl.SSLError):
        return RegisterUnavailable(f"TLS was refused: {_reason(error)}", "register-tls")
    if isinstance(error, http.client.RemoteDisconnected | http.client.IncompleteRead):
        return RegisterUnavailable("the register closed the connection before its answer was complete")
    if isinstance(error, http.client.HTTPException):
        return RegisterError("register-answer", f"the answer is no HTTP: {type(error).__name__}")
    return RegisterUnavailable(f"the connection to the register failed: {_reason(error)}")


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(error.verify_message)
    if isinstance(error, ssl.SSLError):
        return str(error.reason or "unknown").lower().replace("_", " ")
    return str(getattr(error, "strerror", None) or type(error).__name__)
