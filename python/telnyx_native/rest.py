"""Login tokens from the Telnyx API, through the official `telnyx` package: `pip install "telnyx-native[rest]"`.

A telephony credential is a user name and password that belongs to a SIP connection; a login token is good for a day and
stands for one credential (https://developers.telnyx.com/docs/voice/webrtc/auth/telephony-credentials).
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any, Self

from telnyx_native.credentials import account_of, is_new, note_new
from telnyx_native.errors import AuthenticationError, ConfigurationError, RestError
from telnyx_native.event_loop import run_blocking
from telnyx_native.redaction import keep_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["TelephonyCredential", "TelephonyCredentials", "mint_login_token"]

TIMEOUT = 10.0
"""Seconds that one request may take; the package repeats those that may succeed another time twice."""


@dataclass(frozen=True)
class TelephonyCredential:
    """A credential of a SIP connection.

    Attributes:
        id: Its id at Telnyx.
        name: What it is called.
        sip_user: The user name to log in with, see `CredentialConfig`.
        sip_password: Its password; never logged.
        expires_at: When it expires; `None` if it does not.
    """

    id: str
    name: str
    sip_user: str
    sip_password: str = field(repr=False)
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        keep_secret(self, "sip_password")


class TelephonyCredentials:
    """The credentials of an account, as an async context manager.

    Args:
        api_key: A key of the Telnyx API (v2); never logged.
        base_url: Where the API is, if not at Telnyx.

    Raises:
        ConfigurationError: The key is empty, or the package `telnyx` is not installed.
    """

    def __init__(self, api_key: str, *, base_url: str | None = None) -> None:
        if not api_key:
            raise ConfigurationError("api_key is empty; create one in the Telnyx portal")
        self._client = telnyx_package().AsyncTelnyx(api_key=api_key, base_url=base_url, timeout=TIMEOUT)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections to the API."""
        await self._client.close()

    async def create(
        self, connection_id: str, name: str, *, tag: str | None = None, expires_at: datetime | None = None
    ) -> TelephonyCredential:
        """Create a credential. Servers know it some seconds later; for that long, logins of this process try again.

        Args:
            connection_id: The SIP connection it belongs to.
            name: What it is called.
            tag: What it is grouped by.
            expires_at: When it expires; never by default.

        Raises:
            AuthenticationError: The key is not good.
            RestError: The API refused, or was not reached.
        """
        wanted = {"tag": tag, "expires_at": expires_at.isoformat() if expires_at else None}
        given = {key: value for key, value in wanted.items() if value is not None}
        with translated("create a credential"):
            response = await self._client.telephony_credentials.create(connection_id=connection_id, name=name, **given)
        created = _credential(response.data)
        note_new(created.id)
        note_new(created.sip_user)
        return created

    async def find(self, name: str) -> TelephonyCredential | None:
        """Return the first credential of that name that has not expired; `None` without one.

        Raises:
            AuthenticationError: The key is not good.
            RestError: The API refused, or was not reached.
        """
        with translated("look for a credential"):
            async for found in self._client.telephony_credentials.list(filter={"name": name}):
                if found.name == name and not found.expired:
                    return _credential(found)
        return None

    async def mint_token(self, credential_id: str) -> str:
        """Return a login token of a credential, for `TokenConfig`.

        Raises:
            AuthenticationError: The key is not good.
            RestError: There is no such credential, the API refused, or was not reached.
        """
        with translated("mint a login token"):
            token: str = await self._client.telephony_credentials.create_token(credential_id)
        token = token.strip().strip('"')
        if is_new(credential_id):
            note_new(account_of(token))
        return token

    async def delete(self, credential_id: str) -> None:
        """Delete a credential; its tokens are good no more.

        Raises:
            AuthenticationError: The key is not good.
            RestError: There is no such credential, the API refused, or was not reached.
        """
        with translated("delete a credential"):
            await self._client.telephony_credentials.delete(credential_id)


async def mint_login_token(api_key: str, connection_id: str, *, name: str = "telnyx-native") -> str:
    """Return a login token for `TokenConfig`, of the credential of that name; it is created if there is none.

    Args:
        api_key: A key of the Telnyx API (v2).
        connection_id: The SIP connection that a new credential belongs to.
        name: What the credential is called.

    Raises:
        ConfigurationError: The key is empty, or the package `telnyx` is not installed.
        AuthenticationError: The key is not good.
        RestError: The API refused, or was not reached.
    """
    await run_blocking(telnyx_package)
    async with TelephonyCredentials(api_key) as credentials:
        credential = await credentials.find(name) or await credentials.create(connection_id, name)
        return await credentials.mint_token(credential.id)


def telnyx_package() -> Any:
    """The `telnyx` package; loading it takes about a second, the first time."""
    try:
        return import_module("telnyx")
    except ImportError:
        message = 'the telnyx package is missing: pip install "telnyx-native[rest]"'
        raise ConfigurationError(message) from None


def _credential(data: Any) -> TelephonyCredential:
    return TelephonyCredential(
        data.id or "", data.name or "", data.sip_username or "", data.sip_password or "", _moment(data.expires_at)
    )


def _moment(text: str | None) -> datetime | None:
    """A moment in ISO 8601; in UTC, unless it says otherwise."""
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raise errors of the package as ours; theirs may quote the request."""
    telnyx = telnyx_package()
    try:
        yield
    except (telnyx.AuthenticationError, telnyx.PermissionDeniedError) as error:
        message = f"the Telnyx API refused to {what}: the API key is not good ({error.status_code})"
        raise AuthenticationError(message, code=error.status_code) from None
    except telnyx.APIStatusError as error:
        detail = f"{error.status_code}{details_of(error.body)}"
        raise RestError(f"the Telnyx API refused to {what}: {detail}", code=error.status_code) from None
    except telnyx.APIConnectionError as error:
        kind = "did not answer in time" if isinstance(error, telnyx.APITimeoutError) else "was not reached"
        raise RestError(f"the Telnyx API {kind}, so it did not {what}; try again") from None


def details_of(body: object) -> str:
    """The texts of the API's errors, `{"errors": [{"title", "detail"}]}`."""
    errors = body.get("errors") if isinstance(body, dict) else None
    texts = [error.get("detail") or error.get("title") for error in errors or () if isinstance(error, dict)]
    return "".join(f", {text}" for text in texts if isinstance(text, str))
