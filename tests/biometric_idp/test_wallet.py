"""The wallet: sealed, durable before any request, erased of what is no longer needed."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biometric_idp.client.wallet import Wallet, WalletFile, open_wallet, seal_wallet
from biometric_idp.errors import FormatError, StateError

KEY = bytes(range(32))
WALLET = Wallet(bytes(32), "abroad", 7, b"\x11" * 32, 12345, b"\x22" * 48, None)


def test_round_trip_and_erasure_of_the_blinding(tmp_path: Path) -> None:
    file = WalletFile(tmp_path / "wallet", KEY, os.urandom)
    stored = file.create(WALLET)
    assert stored.wallet == WALLET == file.load().wallet
    complete = file.complete(stored, b"\x33" * 48)
    assert (complete.wallet.credential, complete.wallet.blinding) == (b"\x33" * 48, None)
    assert stat.S_IMODE((tmp_path / "wallet").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["wallet"]


def test_an_existing_wallet_is_never_overwritten(tmp_path: Path) -> None:
    file = WalletFile(tmp_path / "wallet", KEY, os.urandom)
    file.create(WALLET)
    before = (tmp_path / "wallet").read_bytes()
    with pytest.raises(StateError, match="already here"):
        file.create(WALLET)
    assert (tmp_path / "wallet").read_bytes() == before


def test_what_cannot_be_read_back_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = WalletFile(tmp_path / "wallet", KEY, os.urandom)

    def lying_disk(path: Path, data: bytes, *, secret: bool) -> None:
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))

    monkeypatch.setattr("biometric_idp.client.wallet.write_atomic", lying_disk)
    with pytest.raises(FormatError, match="altered"):
        file.create(WALLET)


def test_no_secret_shows_in_the_sealed_file_nor_in_repr() -> None:
    sealed = seal_wallet(WALLET, KEY, os.urandom)
    assert WALLET.secret not in sealed
    assert WALLET.blinded not in sealed
    assert "12345" not in repr(WALLET)
    assert sealed != seal_wallet(WALLET, KEY, os.urandom)


@settings(max_examples=60)
@given(st.data())
def test_any_changed_bit_and_any_other_key_is_refused(data: st.DataObject) -> None:
    sealed = bytearray(seal_wallet(WALLET, KEY, os.urandom))
    bit = data.draw(st.integers(0, 8 * len(sealed) - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(FormatError):
        open_wallet(bytes(sealed), KEY)


@pytest.mark.parametrize("damage", [b"", b"evoting-wallet/v1\n", bytes(100), b"evoting-wallet/v1\n" + bytes(5000)])
def test_foreign_and_truncated_files_are_refused(damage: bytes) -> None:
    with pytest.raises(FormatError):
        open_wallet(damage, KEY)
    sealed = seal_wallet(WALLET, KEY, os.urandom)
    for wrong in (sealed[:-1], sealed + b"\0"):
        with pytest.raises(FormatError):
            open_wallet(wrong, KEY)
    with pytest.raises(FormatError):
        open_wallet(sealed, bytes(32))


def test_a_wallet_holds_either_a_blinding_or_a_credential() -> None:
    for blinding, credential in ((None, None), (1, bytes(48)), (0, None), (2**256, None)):
        with pytest.raises(FormatError):
            Wallet(bytes(32), "s", 0, bytes(32), blinding, bytes(48), credential)
