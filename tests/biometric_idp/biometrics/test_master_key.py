"""Master keys: a file that only its owner reads, and a key that never leaves its token (SoftHSM)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from biometric_idp.biometrics.errors import VaultError
from biometric_idp.biometrics.master_key import FileMasterKey, open_master_key, read_pin
from biometric_idp.errors import FormatError, StateError

MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
)


def test_a_key_file_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    key = FileMasterKey.generate(path)
    assert path.stat().st_mode & 0o777 == 0o600
    again = open_master_key(f"file:{path}")
    assert again.id == key.id
    assert again.unwrap(key.wrap(b"k" * 32, b"context"), b"context") == b"k" * 32
    with pytest.raises(StateError, match="never overwritten"):
        FileMasterKey.generate(path)
    for mode in (0o640, 0o604, 0o660):
        path.chmod(mode)
        with pytest.raises(FormatError, match="chmod 600"):
            FileMasterKey.read(path)


def test_what_is_no_key_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    with pytest.raises(FormatError, match="No such file"):
        FileMasterKey.read(path)
    for text in (
        "",
        "evoting-master-key@v1\n",
        "evoting-master-key@v1\nkey 00\n",
        "evoting-master-key@v2\nkey " + "00" * 32,
    ):
        path.write_text(text)
        path.chmod(0o600)
        with pytest.raises(FormatError):
            FileMasterKey.read(path)
    link = tmp_path / "link"
    link.symlink_to(path)
    with pytest.raises(FormatError):
        FileMasterKey.read(link)


def test_another_context_or_key_does_not_unwrap() -> None:
    key, other = FileMasterKey(os.urandom(32)), FileMasterKey(os.urandom(32))
    wrapped = key.wrap(b"k" * 32, b"voter 1")
    for opener, context in ((key, b"voter 2"), (other, b"voter 1")):
        with pytest.raises(VaultError) as wrong:
            opener.unwrap(wrapped, context)
        assert wrong.value.code == "template-damaged"
    with pytest.raises(VaultError):
        key.unwrap(b"", b"voter 1")


@pytest.mark.parametrize("address", ["pkcs11:token=a", "pkcs11:token=a;object=b?module-path=/x", "/nowhere/key"])
def test_an_incomplete_address_is_refused(address: str) -> None:
    with pytest.raises(FormatError):
        open_master_key(address)


def test_a_pin_file_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "pin"
    path.write_text("1234\n")
    path.chmod(0o644)
    with pytest.raises(FormatError, match="chmod 600"):
        read_pin(path)
    path.chmod(0o600)
    assert read_pin(path) == "1234"
    path.write_text("")
    with pytest.raises(FormatError, match="empty"):
        read_pin(path)


# The library reads its configuration once per process, so that each test has a process of its own.
_PREAMBLE = """
import os, sys
from pathlib import Path
import pkcs11
from biometric_idp.biometrics.errors import VaultError
from biometric_idp.biometrics.master_key import Pkcs11MasterKey, open_master_key
from biometric_idp.errors import StateError
module, token, pin = sys.argv[1], "idp", "5678"
"""


@pytest.fixture(name="token")
def fixture_token(tmp_path: Path) -> tuple[str, dict[str, str], Path]:
    module = next((path for path in MODULES if Path(path).exists()), None)
    if module is None or shutil.which("softhsm2-util") is None:
        reason = "NO HSM TO TEST WITH: softhsm2 is not installed (make setup installs it where it may)"
        if os.environ.get("CI"):
            raise RuntimeError(reason)
        warnings.warn(reason, stacklevel=1)
        pytest.skip(reason)
    (tmp_path / "tokens").mkdir()
    configuration = tmp_path / "softhsm2.conf"
    configuration.write_text(
        f"directories.tokendir = {tmp_path}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    environment = os.environ | {"SOFTHSM2_CONF": str(configuration)}
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", "idp", "--so-pin", "1234", "--pin", "5678"],
        check=True, capture_output=True, env=environment,
    )  # fmt: skip
    return module, environment, tmp_path


def run(token: tuple[str, dict[str, str], Path], program: str) -> None:
    module, environment, directory = token
    done = subprocess.run(
        [sys.executable, "-c", _PREAMBLE + program, module, str(directory)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_key_in_a_token_wraps_and_never_leaves_it(token: tuple[str, dict[str, str], Path]) -> None:
    run(
        token,
        """
made = Pkcs11MasterKey.generate(module, token, "first", pin)
wrapped = made.wrap(b"k" * 32, b"voter 1")
assert b"k" * 8 not in wrapped
assert made.unwrap(wrapped, b"voter 1") == b"k" * 32
flipped = wrapped[:-1] + bytes([wrapped[-1] ^ 1])
for changed, context in ((wrapped, b"voter 2"), (flipped, b"voter 1"), (b"", b"voter 1")):
    try:
        made.unwrap(changed, context)
    except VaultError as error:
        assert error.code == "template-damaged", error
    else:
        raise SystemExit("unwrapped what it must not")
assert made.unwrap(wrapped, b"voter 1") == b"k" * 32
try:
    with made._key() as key:
        key[pkcs11.Attribute.VALUE]
except VaultError as error:
    assert "AttributeSensitive" in str(error)
else:
    raise SystemExit("the token gave the key away")
try:
    Pkcs11MasterKey.generate(module, token, "first", pin)
except StateError:
    pass
else:
    raise SystemExit("overwritten")
""",
    )
    # Another process, by an address of the configuration.
    run(
        token,
        """
source = Path(sys.argv[2]) / "pin"
source.write_text(pin)
source.chmod(0o600)
key = open_master_key(f"pkcs11:token=idp;object=first?module-path={module}&pin-source=file:{source}")
assert key.id == "pkcs11-idp-first"
assert key.unwrap(key.wrap(b"k" * 32, b"c"), b"c") == b"k" * 32
""",
    )


def test_a_key_that_a_token_would_give_away_and_a_wrong_pin_are_refused(
    token: tuple[str, dict[str, str], Path],
) -> None:
    run(
        token,
        """
with pkcs11.lib(module).get_token(token_label=token).open(rw=True, user_pin=pin) as session:
    session.generate_key(pkcs11.KeyType.AES, 256, label="loose", store=True,
                         template={pkcs11.Attribute.EXTRACTABLE: True, pkcs11.Attribute.SENSITIVE: False})
for label, given in (("loose", pin), ("nowhere", pin), ("loose", "0000")):
    try:
        Pkcs11MasterKey(module, token, label, given)
    except VaultError as error:
        assert error.code == "master-key-unusable"
        assert given not in str(error)
    else:
        raise SystemExit(f"{label} was accepted")
""",
    )


def test_rotation_from_a_file_into_a_token(token: tuple[str, dict[str, str], Path]) -> None:
    run(
        token,
        """
from sqlalchemy import MetaData
from biometric_idp.biometrics.face_dlib import DlibFaceMatcher, compare_faces
from biometric_idp.biometrics.interface import Template
from biometric_idp.biometrics.master_key import FileMasterKey
from biometric_idp.biometrics.models import biometric_tables
from biometric_idp.biometrics.sql_store import SqlTemplateStore
from biometric_idp.biometrics.vault import Vault
from services.database import open_engine
metadata = MetaData()
tables = biometric_tables(metadata)
engine = open_engine(sys.argv[2] + "/idp.sqlite")
metadata.create_all(engine)
store = SqlTemplateStore(engine, tables)
old = FileMasterKey(os.urandom(32))
face = Template("face", DlibFaceMatcher.algorithm, DlibFaceMatcher.version, bytes(512))
for number in range(5):
    Vault(store, "kg", old).enrol(f"v{number}", face)
new = Pkcs11MasterKey.generate(module, token, "first", pin)
assert Vault(store, "kg", new, [old]).rotate(batch=2) == 5
later = Pkcs11MasterKey.generate(module, token, "second", pin)
assert Vault(store, "kg", later, [new]).rotate() == 5
assert Vault(store, "kg", later).compare(face, "v3", compare_faces).value < 1e-4
""",
    )
