"""What stands behind the gateway in tests: a service that tells what it was asked, and one that knows keys."""

import json
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from uat_resilience.clock import wall_time
from uat_resilience.integrations.serving.asgi_types import Receive, Scope, Send

__all__ = ["API_KEYS", "ISSUER", "KEY", "Auth", "Echo", "token"]

KEY = ec.generate_private_key(ec.SECP256R1())
ISSUER = "http://auth.example"
API_KEYS = {"sk-ann": "ann", "sk-bob": "bob"}


class Echo:
    """A service that tells what it was asked, and says what it is told to.

    Attributes:
        seen: Paths that were asked for, in order.
    """

    def __init__(self, name: str = "echo") -> None:
        self.name = name
        self.seen: list[str] = []
        self.status: dict[str, int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
        elif scope["type"] == "websocket":
            await self._socket(receive, send)
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["raw_path"].decode()
        if path != "/health/ready":  # asked whenever the gateway likes
            self.seen.append(path)
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        told = {
            "service": self.name,
            "method": scope["method"],
            "path": path,
            "query": scope["query_string"].decode(),
            "headers": [
                (name.decode(), value.decode("latin-1")) for name, value in scope["headers"]
            ],
            "body": body.decode("latin-1"),
        }
        answer = json.dumps(told).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        status = self.status.get(path, 200)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _socket(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": f"{self.name}: {message['text']}"})


class Auth(Echo):
    """Knows keys and API keys. `asked` counts what it was asked for."""

    def __init__(self) -> None:
        super().__init__("auth")
        self.away = False

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append(scope["path"])
        told, status = self._told(scope)
        body = json.dumps(told).encode()
        await send({"type": "http.response.start", "status": 503 if self.away else status})
        await send({"type": "http.response.body", "body": body})

    def _told(self, scope: Scope) -> tuple[object, int]:
        if scope["path"] == "/.well-known/jwks.json":
            public = ECAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
            return {"keys": [{**public, "kid": "1", "use": "sig", "alg": "ES256"}]}, 200
        if scope["method"] != "GET":
            return {}, 405
        user = API_KEYS.get(dict(scope["headers"]).get(b"x-api-key", b"").decode())
        return ({"valid": True, "user": {"id": user}}, 200) if user else ({}, 401)


def token(user: str = "ann", **claims: object) -> str:
    """Return what the authentication service would give somebody."""
    body: dict[str, Any] = {
        "iss": ISSUER,
        "aud": "uat-platform",
        "sub": user,
        "exp": wall_time() + 300,
        "scope": "read write",
        **claims,
    }
    return jwt.encode(body, KEY, algorithm="ES256", headers={"kid": "1"})
