"""Messages as files in a directory, for model elections: whoever reads them plays the citizens' telephones."""

from __future__ import annotations

import json
from pathlib import Path

from biometric_idp.files import write_atomic
from biometric_idp.registrar.channels.interface import DeliveryError, Message


class SpoolChannel:
    """One JSON file for each message, named by its id: sent again, it is the same file."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory = directory

    def deliver(self, message: Message) -> None:
        members = {
            "id": message.id,
            "to": message.address,
            "subject": message.subject,
            "text": message.text,
            "language": message.language,
        }
        data = json.dumps(members, ensure_ascii=False, indent=1).encode() + b"\n"
        try:
            write_atomic(self._directory / f"{message.id}.json", data, secret=True)
        except OSError as error:
            raise DeliveryError(f"the spool directory cannot be written: {error.strerror}") from None

    def close(self) -> None:
        return
