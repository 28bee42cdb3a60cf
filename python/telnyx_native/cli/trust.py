"""Which certificates a command trusts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_native.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path
    from ssl import SSLContext

__all__ = ["trust"]


def trust(ca_file: Path | None) -> SSLContext | None:
    """What trusts the certificates in a file, and only these; `None` for those that the system trusts.

    Raises:
        ConfigurationError: There is no certificate in the file.
    """
    import ssl

    if ca_file is None:
        return None
    try:
        return ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError as error:
        raise ConfigurationError(f"--ca-file: {ca_file} has no certificate in PEM format") from error
