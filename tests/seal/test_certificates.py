"""The certificates against Python's own TLS, both ends in memory."""

import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding

from doorctl.errors import MalformedError, OperatorError
from doorctl.seal.certificates import certificate_from_pem, certificate_to_pem, create_tls


def made(folder: Path, name: str) -> tuple[Path, Path, bytes]:
    key, certificate = folder / name / "tls.key", folder / name / "tls.crt"
    return key, certificate, create_tls(key, certificate, name=name)


def context(*, server: bool, own: tuple[Path, Path, bytes], peer: bytes) -> ssl.SSLContext:
    """Mutual TLS 1.3 that knows one peer; strict as Python 3.13 is by default."""
    result = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    result.minimum_version = ssl.TLSVersion.TLSv1_3
    result.check_hostname = False
    result.verify_mode = ssl.CERT_REQUIRED
    result.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    result.load_cert_chain(own[1], own[0])
    result.load_verify_locations(cadata=peer)
    return result


def handshake(client_context: ssl.SSLContext, server_context: ssl.SSLContext) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    done: set[ssl.SSLObject] = set()
    for _ in range(10):
        for end in (client, server):
            try:
                end.do_handshake()
                done.add(end)
            except ssl.SSLWantReadError:
                continue
        if len(done) == 2:
            return client, server
    raise AssertionError("the handshake did not end")


def test_both_ends_pin_each_other(tmp_path: Path) -> None:
    monitor, courier = made(tmp_path, "monitor"), made(tmp_path, "courier")
    client, server = handshake(
        context(server=False, own=courier, peer=monitor[2]), context(server=True, own=monitor, peer=courier[2])
    )
    assert client.getpeercert(binary_form=True) == monitor[2]
    assert server.getpeercert(binary_form=True) == courier[2]
    assert client.version() == "TLSv1.3"


def test_a_stranger_with_the_same_name_is_refused(tmp_path: Path) -> None:
    monitor, courier, stranger = made(tmp_path, "monitor"), made(tmp_path, "courier"), made(tmp_path / "x", "monitor")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(
            context(server=False, own=courier, peer=monitor[2]), context(server=True, own=stranger, peer=courier[2])
        )


def test_the_key_is_private_and_nothing_is_overwritten(tmp_path: Path) -> None:
    key, certificate, der = made(tmp_path, "courier")
    assert [stat.S_IMODE(path.stat().st_mode) for path in (key.parent, key, certificate)] == [0o700, 0o600, 0o644]
    assert certificate_from_pem(certificate.read_text()) == der
    with pytest.raises(OperatorError, match="never overwritten"):
        create_tls(key, certificate, name="courier")
    assert certificate_from_pem(certificate.read_text()) == der


def test_the_certificate_outlives_any_clock(tmp_path: Path) -> None:
    parsed = x509.load_der_x509_certificate(made(tmp_path, "n" * 80)[2])
    assert (parsed.not_valid_before_utc.year, parsed.not_valid_after_utc.year) == (2000, 9999)
    assert parsed.subject.rfc4514_string() == f"CN={'n' * 64}"


def test_pem_is_one_p256_certificate(tmp_path: Path) -> None:
    der = made(tmp_path, "monitor")[2]
    pem = certificate_to_pem(der)
    assert certificate_from_pem(pem) == der
    for untrusted in ("", "x", pem[:-40], pem + pem):
        with pytest.raises(MalformedError):
            certificate_from_pem(untrusted)


def test_a_certificate_of_another_key_is_refused(tmp_path: Path) -> None:
    template = x509.load_der_x509_certificate(made(tmp_path, "monitor")[2])
    for key in (ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate()):
        builder = x509.CertificateBuilder(
            issuer_name=template.issuer,
            subject_name=template.subject,
            public_key=key.public_key(),
            serial_number=1,
            not_valid_before=template.not_valid_before_utc,
            not_valid_after=template.not_valid_after_utc,
        )
        algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else template.signature_hash_algorithm
        pem = builder.sign(key, algorithm).public_bytes(Encoding.PEM)  # type: ignore[arg-type]  # a SHA-256
        with pytest.raises(MalformedError, match="P-256"):
            certificate_from_pem(pem.decode())
