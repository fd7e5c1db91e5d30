"""A service with something in front of it, which hands on what is for the service itself."""

from litestar import get

from uat_resilience.integrations.serving.asgi_types import App, Receive, Scope, Send
from uat_service.app import Service


@get("/own")
async def own() -> str:
    return "own"


def front(app: App) -> App:
    async def fronted(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == "/own":
            await app(scope, receive, send)
            return
        spelled = b",".join(getattr(name, "spelled", name) for name, _ in scope["headers"])
        headers = [(b"x-spelled", spelled), (b"content-length", b"5")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"front"})

    return fronted


service = Service("fronted", routes=[own], around=front, faithful=True)
