"""Channels against real servers on loopback: SMS gateway over HTTP, SMTP, and the outbox behind them."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from biometric_idp.population.register import Contacts
from biometric_idp.registrar.app import MIGRATIONS, SERVICE
from biometric_idp.registrar.channels.interface import DeliveryError, Message
from biometric_idp.registrar.channels.repository import OutboxRepository
from biometric_idp.registrar.channels.service import Outbox, choose_channel
from biometric_idp.registrar.channels.sms import SmsChannel, SmsSettings
from biometric_idp.registrar.channels.smtp import SmtpChannel, SmtpSettings
from biometric_idp.registrar.channels.texts import LANGUAGES, compose, texts
from biometric_idp.shared.commits import Committer
from services.database import open_engine
from services.migrations import upgrade

MESSAGE = Message("0" * 32, "+996700000001", "Код", "Выборы: код 12345678.", "ru")
MAIL = Message("1" * 32, "voter@example.kg", "Код", "Выборы: код 12345678.", "ru")


class Gateway(ThreadingHTTPServer):
    """An SMS gateway that keeps what it gets, and answers with the next of its statuses."""

    def __init__(self, statuses: list[int]) -> None:
        self.statuses = statuses
        self.got: list[tuple[dict[str, str], dict[str, object]]] = []
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        gateway = self.server
        assert isinstance(gateway, Gateway)
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        gateway.got.append((dict(self.headers.items()), body))
        self.send_response(gateway.statuses.pop(0) if gateway.statuses else 200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def gateway(*statuses: int) -> Iterator[Gateway]:
    server = Gateway(list(statuses))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def sms(server: Gateway) -> SmsChannel:
    url = f"http://127.0.0.1:{server.server_address[1]}/send"
    return SmsChannel(SmsSettings(url, "CEC", "token", {"to": "phone", "text": "message"}, {"route": "otp"}))


def test_an_sms_reaches_the_gateway_in_its_own_words() -> None:
    with gateway() as server:
        sms(server).deliver(MESSAGE)
        ((headers, body),) = server.got
    assert headers["authorization"] == "Bearer token"
    assert headers["idempotency-key"] == MESSAGE.id
    expected = {"route": "otp", "phone": MESSAGE.address, "message": MESSAGE.text, "id": MESSAGE.id, "sender": "CEC"}
    assert body == expected


@pytest.mark.parametrize("status", [302, 400, 500])
def test_a_gateway_that_does_not_take_a_message_is_a_delivery_error(status: int) -> None:
    with gateway(status) as server, pytest.raises(DeliveryError) as caught:
        sms(server).deliver(MESSAGE)
    assert MESSAGE.address not in str(caught.value)


class Mailbox:
    """A mail server on loopback, as little of SMTP as a client needs; it may offer STARTTLS or not."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.mails: list[str] = []
        self.commands: list[str] = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        file = connection.makefile("rwb")

        def say(line: str) -> None:
            file.write(line.encode() + b"\r\n")
            file.flush()

        say("220 test")
        while line := file.readline().decode().strip():
            verb = line.split(" ")[0].upper()
            self.commands.append(verb)
            if verb == "DATA":
                say("354 go on")
                lines: list[str] = []
                while (text := file.readline().decode()) != ".\r\n":
                    lines.append(text)
                self.mails.append("".join(lines))
                say("250 taken")
            elif verb == "QUIT":
                say("221 bye")
                return
            else:
                say("250 ok")

    def close(self) -> None:
        self._listener.close()


@pytest.fixture(name="mailbox")
def fixture_mailbox() -> Iterator[Mailbox]:
    mailbox = Mailbox()
    yield mailbox
    mailbox.close()


def test_a_mail_arrives_with_its_text(mailbox: Mailbox) -> None:
    channel = SmtpChannel(SmtpSettings("127.0.0.1", mailbox.port, "cec@example.kg", "none"))
    channel.deliver(MAIL)
    channel.deliver(MAIL)
    channel.close()
    assert len(mailbox.mails) == 2
    assert "To: voter@example.kg" in mailbox.mails[0]
    assert f"Message-ID: <{MAIL.id}@example.kg>" in mailbox.mails[0]


def test_nothing_is_sent_where_tls_is_demanded_and_not_offered(mailbox: Mailbox) -> None:
    channel = SmtpChannel(SmtpSettings("127.0.0.1", mailbox.port, "cec@example.kg", "starttls"))
    with pytest.raises(DeliveryError) as caught:
        channel.deliver(MAIL)
    assert mailbox.mails == []
    assert "DATA" not in mailbox.commands
    assert MAIL.address not in str(caught.value)


def test_a_message_that_is_not_taken_is_tried_again_and_erased_when_it_is(tmp_path: Path) -> None:
    engine = open_engine(str(tmp_path / "registrar.sqlite"))
    upgrade(engine, MIGRATIONS, SERVICE)
    now = [1000]
    with gateway(500, 503, 200) as server:
        committer = Committer(engine)
        outbox = Outbox(committer, {"sms": sms(server)}, lambda: now[0])
        contacts = Contacts(phone="+996700000001")
        values = {"election": "E", "code": "12345678", "key": "abcdef01"}
        hint = committer.commit("test", lambda db: outbox.queue(db, contacts, "code", "en", 900, **values))
        assert hint == "sms ***01"
        tried = []
        for _ in range(8):
            tried.append(outbox.deliver_due())
            now[0] += 2
        assert sum(tried) == 3
        assert len({body["id"] for _, body in server.got}) == 1
        assert committer.read(lambda db: OutboxRepository(db).waiting()) == 0
        # What nobody can use any more is not sent.
        committer.commit("test", lambda db: outbox.queue(db, contacts, "code", "en", 10, **values))
        now[0] += 60
        outbox.deliver_due()
        assert len(server.got) == 3
        assert committer.read(lambda db: OutboxRepository(db).waiting()) == 0
    engine.dispose()


def test_every_message_has_a_text_in_every_language() -> None:
    values = {"election": "E", "code": "12345678", "key": "abcdef01"}
    for kind in texts():
        for language in LANGUAGES:
            subject, text = compose(kind, language, **values)
            assert subject
            assert "abcdef01" in text
            assert "{" not in text
            assert len(text) < 300


def test_the_telephone_comes_first_and_hints_show_little() -> None:
    channels = {"sms": object(), "email": object()}
    both = Contacts(email="voter@example.kg", phone="+996700000012")
    assert choose_channel(both, channels) == ("sms", "+996700000012", "sms ***12")  # type: ignore[arg-type]
    mail = choose_channel(Contacts(email="voter@example.kg"), channels)  # type: ignore[arg-type]
    assert mail == ("email", "voter@example.kg", "email v***@example.kg")
    assert choose_channel(Contacts(), channels) is None  # type: ignore[arg-type]
