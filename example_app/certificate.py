"""A throw-away certificate for this machine, and how to start Chromium so that it trusts it and binds sessions."""

from __future__ import annotations

import base64
import hashlib
import shlex
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

# Device Bound Session Credentials with a key in software, and as many proofs as it takes: on Linux they are off, and
# five proofs in nine minutes is the most elsewhere.
_FEATURES = "DeviceBoundSessions:RefreshQuota/false,EnableBoundSessionCredentialsSoftwareKeysForManualTesting"


class Certificate(NamedTuple):
    """Its files, and base64 of the SHA-256 of its public key (SubjectPublicKeyInfo)."""

    file: Path
    key_file: Path
    public_key_hash: str


def make_certificate(folder: Path) -> Certificate:
    """Write a certificate for this machine into `folder`, signed by itself and valid for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Larch & Loam, example shop")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, SHA256())
    )
    file, key_file = folder / "certificate.pem", folder / "key.pem"
    file.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public_key = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Certificate(file, key_file, base64.b64encode(hashlib.sha256(public_key).digest()).decode())


def chromium_command(certificate: Certificate, profile: Path, address: str) -> str:
    """The command line that opens `address` in a Chromium of its own: another one that runs takes no flags."""
    return shlex.join(
        [
            "chromium",
            f"--user-data-dir={profile}",
            "--no-first-run",
            f"--enable-features={_FEATURES}",
            # Not --ignore-certificate-errors: sessions are bound over connections that count as secure only.
            f"--ignore-certificate-errors-spki-list={certificate.public_key_hash}",
            address,
        ]
    )
