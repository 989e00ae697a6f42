"""The P-256 certificates of both ends of the line. They are pinned whole: no authority, name or date counts.

The line only carries what is sealed and signed already; a certificate keeps strangers from speaking at all.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from doorctl.errors import MalformedError
from doorctl.seal import private_files

_NOT_BEFORE: Final = datetime(2000, 1, 1, tzinfo=UTC)
_NOT_AFTER: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""RFC 5280, 4.1.2.5: a certificate without an end. A board's clock may say anything."""
_LONGEST_NAME: Final = 64
"""RFC 5280, ub-common-name."""


def create_tls(key_path: Path, certificate_path: Path, *, name: str) -> bytes:
    """A new P-256 key (0600, plain PEM for ssl) and its self-signed certificate (0644); returns the DER.

    Raises OperatorError where either file is there already, StorageError where the disk fails.
    """
    private_files.create_folder(key_path.parent)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _self_signed(key, name[:_LONGEST_NAME])
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    private_files.create_file(key_path, pem)
    private_files.create_file(certificate_path, certificate.public_bytes(Encoding.PEM), mode=0o644)
    return certificate.public_bytes(Encoding.DER)


def certificate_from_pem(untrusted: str) -> bytes:
    """The DER of one P-256 certificate in PEM, or MalformedError."""
    try:
        certificates = x509.load_pem_x509_certificates(untrusted.encode())
        if len(certificates) != 1:
            raise MalformedError(f"certificate: {len(certificates)} in one place, expected 1")
        key = certificates[0].public_key()
    except ValueError as error:
        raise MalformedError("certificate: not a certificate in PEM") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise MalformedError("certificate: not of a P-256 key")
    return certificates[0].public_bytes(Encoding.DER)


def certificate_to_pem(der: bytes) -> str:
    """For the pairing files."""
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM).decode()


def _self_signed(key: ec.EllipticCurvePrivateKey, name: str) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    public = key.public_key()
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_NOT_BEFORE)
        .not_valid_after(_NOT_AFTER)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(key, SHA256())
    )
