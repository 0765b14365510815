"""OpenID Connect: who somebody is, as a provider says it (authorization code with PKCE). The only module that speaks
to one. It makes no account: whoever has none here stays outside."""

import secrets as chance
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]
from authlib.integrations.httpx_client import OAuth2Client  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from commands.accounts.server_key import ServerKey
from commands.accounts.times import before_now, now
from commands.door.settings import ProviderSettings
from commands.web.under_way import UNDER_WAY, Begun
from ledger.errors import Refusal

_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
_SECONDS = 10.0
_LEEWAY_S = 60


class ProviderFailed(Refusal):
    def __init__(self, why: str) -> None:
        super().__init__(
            "provider-failed", f"The sign-in at the provider did not work: {why}.", "Try it again."
        )


@dataclass(frozen=True, slots=True)
class Provider:
    settings: ProviderSettings
    key: ServerKey
    return_to: str

    def begin(self, back: str) -> tuple[str, str]:
        """Where the browser is sent, and what it has to bring back with it."""
        begun = Begun(
            chance.token_urlsafe(32), chance.token_urlsafe(32), chance.token_urlsafe(48), back, now()
        )
        with self._client() as client:
            place, _ = client.create_authorization_url(
                self._known()["authorization_endpoint"], state=begun.state, nonce=begun.nonce,
                code_verifier=begun.verifier,
            )  # fmt: skip
        return str(place), self.key.encrypted(orjson.dumps(begun).decode())

    def begun(self, brought: str, state: str) -> Begun:
        """Raises ProviderFailed for what another browser has begun, or too long ago."""
        try:
            found = Begun(**orjson.loads(self.key.decrypted(brought)))
        except (Refusal, ValueError, TypeError):
            raise ProviderFailed("it was not begun in this browser") from None
        if not chance.compare_digest(found.state.encode(), state.encode("utf-8", "surrogatepass")):
            raise ProviderFailed("it was not begun in this browser")
        if found.at < before_now(UNDER_WAY):
            raise ProviderFailed("it took too long")
        return found

    def user_of(self, begun: Begun, code: str) -> str:
        """What the claim says that the settings name. Raises ProviderFailed."""
        claims = self._claims(begun, code)
        value = claims.get(self.settings.claim)
        if not isinstance(value, str) or not value:
            raise ProviderFailed(f"it says nothing of {self.settings.claim}")
        if self.settings.claim == "email" and claims.get("email_verified") is not True:
            raise ProviderFailed("it has not verified the mail address")
        return value

    def _claims(self, begun: Begun, code: str) -> dict[str, Any]:
        try:
            with self._client() as client:
                known = self._known()
                answer = client.fetch_token(
                    known["token_endpoint"],
                    code=code,
                    code_verifier=begun.verifier,
                    grant_type="authorization_code",
                )
                keys = KeySet.import_key_set(_got(known["jwks_uri"]))
                token = jwt.decode(str(answer["id_token"]), keys, algorithms=_ALGORITHMS)
            registry = jwt.JWTClaimsRegistry(
                leeway=_LEEWAY_S,
                iss={"essential": True, "value": self.settings.issuer},
                aud={"essential": True, "value": self.settings.client_id},
                exp={"essential": True},
                nonce={"essential": True, "value": begun.nonce},
            )
            registry.validate(token.claims)
        except (AuthlibBaseError, JoseError) as error:
            raise ProviderFailed(f"what it answered is not good ({type(error).__name__})") from None
        except (httpx.HTTPError, OSError):
            raise ProviderFailed("it cannot be reached") from None
        except (KeyError, ValueError, TypeError):
            raise ProviderFailed("its answer cannot be read") from None
        return dict(token.claims)

    def _client(self) -> OAuth2Client:
        secret = self.settings.secret()
        return OAuth2Client(
            self.settings.client_id, secret or None, redirect_uri=self.return_to, scope="openid profile email",
            code_challenge_method="S256", timeout=_SECONDS,
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
        )  # fmt: skip

    def _known(self) -> dict[str, Any]:
        """What it says of itself, at the address that the issuer is known by."""
        try:
            found: dict[str, Any] = _got(
                f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration"
            )
        except (httpx.HTTPError, OSError):
            raise ProviderFailed("it cannot be reached") from None
        except ValueError:
            raise ProviderFailed("its answer cannot be read") from None
        if found.get("issuer") != self.settings.issuer:
            raise ProviderFailed("it says that it is another")
        return found


def _got(address: str) -> Any:
    answer = httpx.get(address, timeout=_SECONDS)
    answer.raise_for_status()
    found = answer.json()
    if not isinstance(found, dict):
        raise ValueError("no object")  # noqa: TRY004 - whoever asked told something else
    return found
