import os
import ssl
from pathlib import Path

import pytest

from doorctl.core.types import SECOND, Duration
from doorctl.courierd.config import Address, Link, Monitor, read_link, read_monitor
from doorctl.courierd.tls import client_context, is_pinned
from doorctl.errors import OperatorError
from doorctl.seal.certificates import create_tls
from tests.courierd.lying_monitor import Certificates


@pytest.fixture(name="pem")
def fixture_pem(certificates: Certificates) -> str:
    return ssl.DER_cert_to_PEM_cert(certificates.monitor_der)


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "monitor.toml"
    path.write_text(text)
    return path


def test_addresses_and_certificate_are_read_and_nothing_else(
    tmp_path: Path, pem: str, certificates: Certificates
) -> None:
    path = written(
        tmp_path,
        f'addresses = ["monitor.example:8443", "[2001:db8::1]:443"]\ncertificate = """\n{pem}"""\nrecord = 7\n',
    )
    assert read_monitor(path) == Monitor(
        addresses=(Address(host="monitor.example", port=8443), Address(host="2001:db8::1", port=443)),
        certificate_der=certificates.monitor_der,
    )


@pytest.mark.parametrize(
    ("addresses", "message"),
    [
        ("[]", 'expected one or two of "host:port"'),
        ('["a:1", "b:1", "c:1"]', 'expected one or two of "host:port"'),
        ('"a:1"', 'expected one or two of "host:port"'),
        ("[7]", 'expected "host:port", got 7'),
        ('["a:1", "a:1"]', "the same twice"),
        ('["a"]', 'expected "host:port", got "a"'),
        ('[":1"]', 'expected "host:port", got ":1"'),
        ('["a b:1"]', 'expected "host:port", got "a b:1"'),
        ('["2001:db8::1:443"]', 'expected "[IPv6]:port", got "2001:db8::1:443"'),
        ('["a:0"]', 'expected a port from 1 to 65535, got "a:0"'),
        ('["a:65536"]', 'expected a port from 1 to 65535, got "a:65536"'),
        ('["a:http"]', 'expected a port from 1 to 65535, got "a:http"'),
        ('["a:٣"]', 'expected a port from 1 to 65535, got "a:٣"'),
    ],
)
def test_addresses_that_cannot_be_are_named(tmp_path: Path, pem: str, addresses: str, message: str) -> None:
    path = written(tmp_path, f'addresses = {addresses}\ncertificate = """\n{pem}"""\n')
    with pytest.raises(OperatorError) as caught:
        read_monitor(path)
    assert str(caught.value) == f"{path}: addresses: {message}"


def test_a_certificate_that_is_not_exactly_one_is_refused(tmp_path: Path, pem: str) -> None:
    empty = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"
    for certificate in ("7", '""', f'"""{pem}{pem}"""', f'"""{pem[:-10]}"""', f'"""{empty}"""', f'"""x\n{pem}"""'):
        path = written(tmp_path, f'addresses = ["a:1"]\ncertificate = {certificate}\n')
        with pytest.raises(OperatorError, match="certificate: "):
            read_monitor(path)


def test_a_file_that_cannot_be_read_is_named_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=r"monitor\.toml: no such file") as caught:
        read_monitor(tmp_path / "monitor.toml")
    assert caught.value.hint == "this board is not paired with a monitor yet"
    for content in (b"addresses = [", b"\xff", b"#" * 70_000):
        path = tmp_path / "monitor.toml"
        path.write_bytes(content)
        with pytest.raises(OperatorError, match=r"monitor\.toml: "):
            read_monitor(path)


def test_an_address_is_shown_as_it_is_written() -> None:
    assert [str(Address.parse(text)) for text in ("a:1", "[::1]:2")] == ["a:1", "[::1]:2"]


def test_the_context_is_tls_1_3_and_leaves_the_judgement_to_the_pin(certificates: Certificates) -> None:
    context = client_context(certificates.folder / "tls.crt", certificates.folder / "tls.key")
    assert (context.minimum_version, context.verify_mode, context.check_hostname) == (
        ssl.TLSVersion.TLSv1_3, ssl.CERT_NONE, False,
    )  # fmt: skip


def test_only_the_very_certificate_is_the_pinned_one(certificates: Certificates) -> None:
    der = certificates.monitor_der
    assert is_pinned(der, der)
    flipped = bytes([der[0] ^ 1]) + der[1:]
    for other in (None, b"", der[:-1], der + b"\0", flipped, certificates.courier_der):
        assert not is_pinned(other, der)


def test_keys_that_are_missing_open_to_others_or_no_pair_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "courier"
    with pytest.raises(OperatorError, match="no such file"):
        client_context(folder / "tls.crt", folder / "tls.key")
    create_tls(folder / "tls.key", folder / "tls.crt", name="one")
    create_tls(folder / "other.key", folder / "other.crt", name="other")
    with pytest.raises(OperatorError, match=r"tls\.key: not the key of other\.crt"):
        client_context(folder / "other.crt", folder / "tls.key")
    (folder / "tls.key").chmod(0o640)
    with pytest.raises(OperatorError, match="readable by others"):
        client_context(folder / "tls.crt", folder / "tls.key")
    assert os.access(folder / "tls.key", os.R_OK)


def test_the_installers_two_lines_of_doorctl_toml(tmp_path: Path) -> None:
    path = tmp_path / "doorctl.toml"
    assert read_link(path) == Link(file="monitor.toml", supervision=Duration(30 * SECOND))
    path.write_text('[monitor]\nfile = "other.toml"\nsupervision_s = 12.5\n[door]\n')
    assert read_link(path) == Link(file="other.toml", supervision=Duration(12_500_000_000))
    path.write_text("[site]\n")
    assert read_link(path) == Link()


@pytest.mark.parametrize(
    "text",
    [
        "monitor = 3", "[monitor", f"a = {'[' * 3000}", "[monitor]\nfile = 1", '[monitor]\nfile = ""', "[monitor]\nsupervision_s = 9",
        "[monitor]\nsupervision_s = 61", "[monitor]\nsupervision_s = true", '[monitor]\nsupervision_s = "30"',
        "[monitor]\nsupervision_s = nan",
    ],
)  # fmt: skip
def test_a_line_that_is_wrong_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "doorctl.toml"
    path.write_text(text)
    with pytest.raises(OperatorError, match=r"doorctl\.toml: ") as raised:
        read_link(path)
    assert raised.value.hint == "`doorctl check` finds every mistake"
