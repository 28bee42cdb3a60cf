"""A certificate of the gateway's own, for `wss://` without an authority."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

from telnyx_native.errors import ConfigurationError

__all__ = ["Certificate"]

LIFETIME = timedelta(days=30)
"""How long a certificate made here is good."""


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key.

    Attributes:
        pem: The certificate, with the chain above it if there is one (PEM). A client that trusts it can connect.
        key_pem: The private key (PEM).
    """

    pem: str
    key_pem: str = field(repr=False)

    @classmethod
    def self_signed(cls, *hosts: str) -> Certificate:
        """Make one for these names and addresses; for this machine if none is given.

        Raises:
            ConfigurationError: The package `cryptography` is not installed.
        """
        try:
            from cryptography import x509
            from cryptography.hazmat.primitives import hashes, serialization
            from cryptography.hazmat.primitives.asymmetric import ec
        except ImportError as error:
            raise ConfigurationError(
                "making a certificate needs the package cryptography: pip install 'telnyx-native[tls]'"
            ) from error

        def general_name(host: str) -> x509.GeneralName:
            try:
                return x509.IPAddress(ip_address(host))
            except ValueError:
                return x509.DNSName(host)

        names = dict.fromkeys((*hosts, "localhost", "127.0.0.1", "::1"))
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "telnyx-native gateway")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))  # clocks of two machines differ
            .not_valid_after(now + LIFETIME)
            .add_extension(x509.SubjectAlternativeName([general_name(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        return cls(
            certificate.public_bytes(serialization.Encoding.PEM).decode(),
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ).decode(),
        )

    def server_context(self) -> ssl.SSLContext:
        """Return what a server encrypts with.

        Raises:
            ConfigurationError: Certificate and key are not usable, or do not belong together.
        """
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        # The ssl module reads keys from files only; nobody else can read this one, and it is gone at once.
        with TemporaryDirectory(prefix="telnyx-native-") as folder:
            file = Path(folder, "certificate.pem")
            file.touch(mode=0o600)
            file.write_text(self.key_pem + "\n" + self.pem)
            try:
                context.load_cert_chain(file)
            except ssl.SSLError as error:
                raise ConfigurationError(f"the certificate cannot be used: {error.reason or error}") from None
        return context

    def client_context(self) -> ssl.SSLContext:
        """Return what a client connects with that trusts this certificate, and no other."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=self.pem)
        return context
