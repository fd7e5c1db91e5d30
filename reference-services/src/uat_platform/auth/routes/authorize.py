"""Where people are sent by clients: to sign in, to give leave, and back with a code.

The request of the client goes along from page to page as the query it came with, and is read anew each time.
"""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.openapi.spec import Operation, Parameter, Reference, Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import URLEncodedBody

from uat_platform.auth.accounts.users import User
from uat_platform.auth.oauth.authorization import (
    AuthorizationRequest,
    RefusedError,
    UnanswerableError,
    read_request,
)
from uat_platform.auth.oauth.scopes import granted
from uat_platform.auth.parts import Parts
from uat_platform.auth.routes.browser import (
    go_to,
    refuse_other_sites,
    session_cookie,
    signed_in,
    without_prompt,
)
from uat_platform.auth.routes.pages import consent_page, error_page, login_page
from uat_platform.auth.routes.signed_in import origin
from uat_platform.auth.sessions.session import Session
from uat_resilience import CallRefusedError
from uat_resilience.integrations.serving.problem import refusal
from uat_service.problems import problem_responses

__all__ = ["routes"]

Request_ = Request[Any, Any, Any]

_PARAMETERS = (
    "client_id redirect_uri response_type scope state nonce"
    " code_challenge code_challenge_method prompt max_age"
)


class LoginForm(msgspec.Struct):
    """What is in the form of the first page."""

    request: str = ""
    email: str = ""
    password: str = ""


class ConsentForm(msgspec.Struct):
    """What is in the form of the second page."""

    request: str = ""
    decision: str = "deny"


def _parameters() -> list[Parameter | Reference] | None:
    return [
        Parameter(each, "query", schema=Schema(type=OpenAPIType.STRING))
        for each in _PARAMETERS.split()
    ]


@dataclass
class _AuthorizeOperation(Operation):
    """Says what is read from the query, which is read as a whole: nothing in it may be there twice."""

    parameters: list[Parameter | Reference] | None = field(default_factory=_parameters)


def _shown(_: Request_, error: UnanswerableError) -> Response[str]:
    return error_page(str(error))


def _sent_back(_: Request_, error: RefusedError) -> Response[str]:
    return go_to(error.location)


_HANDLERS: Any = {UnanswerableError: _shown, RefusedError: _sent_back}
_ANSWERS = {
    **problem_responses(429),
    303: ResponseSpec(None, description="Somewhere else", generate_examples=False),
    400: ResponseSpec(
        str, description="A page that says why", media_type="text/html", generate_examples=False
    ),
}


@get(
    "/oauth2/authorize",
    media_type="text/html",
    operation_class=_AuthorizeOperation,
    exception_handlers=_HANDLERS,
    responses=_ANSWERS,
)
async def authorize(request: Request_, parts: NamedDependency[Parts]) -> Response[str]:
    """Send a person back with a code, or ask them for what is missing."""
    query = request.url.query
    asked = await _read(parts, query)
    found = await signed_in(request, parts)
    if found is None or _stale(asked, found[0], parts.now()):
        if "none" in asked.prompts:
            raise asked.refusal("login_required", "nobody is signed in")
        return login_page(query, redirect_uri=asked.redirect_uri, client=asked.client.name)
    session, user = found
    wanted = granted(asked.scope, user.roles)
    if await _needs_leave(parts, asked, user, wanted):
        if "none" in asked.prompts:
            raise asked.refusal("consent_required", "the user has to be asked")
        return consent_page(
            query,
            redirect_uri=asked.redirect_uri,
            client=asked.client.name,
            user=user.username,
            scope=wanted,
        )
    return await _with_code(parts, asked, session, wanted)


@post(
    "/oauth2/login",
    status_code=200,
    media_type="text/html",
    exception_handlers=_HANDLERS,
    responses={**_ANSWERS, **problem_responses(403)},
)
async def login(
    request: Request_, data: URLEncodedBody[LoginForm], parts: NamedDependency[Parts]
) -> Response[str]:
    """Take a password, and go on with what the client asked for."""
    refuse_other_sites(request, parts)
    asked = await _read(parts, data.request)
    came = origin(request)
    error, status, headers = "The address or the password is wrong.", 400, dict[str, str]()
    try:
        await parts.limits.pass_or_refuse(came.address)
        user = await parts.accounts.authenticate(data.email, data.password, address=came.address)
    except CallRefusedError as refused:
        # A person reads this answer, so it is a page like the others.
        found = refusal(refused, retry_after=1.0)
        user, status, headers = None, found.status, dict(found.headers)
        error = f"{found.title}. {found.detail}"
    if user is not None:
        _, secret = await parts.sessions.begin_in_browser(user.id, origin=came)
        answer = go_to(f"authorize?{without_prompt(data.request)}")
        answer.set_cookie(session_cookie(parts, secret))
        return answer
    page = login_page(
        data.request,
        redirect_uri=asked.redirect_uri,
        client=asked.client.name,
        email=data.email,
        error=error,
        status=status,
    )
    page.headers.update(headers)
    return page


@post(
    "/oauth2/consent",
    status_code=200,
    media_type="text/html",
    exception_handlers=_HANDLERS,
    responses={**_ANSWERS, **problem_responses(403)},
)
async def consent(
    request: Request_, data: URLEncodedBody[ConsentForm], parts: NamedDependency[Parts]
) -> Response[str]:
    """Take a decision, and send the person back with a code or without."""
    refuse_other_sites(request, parts)
    asked = await _read(parts, data.request)
    found = await signed_in(request, parts)
    if found is None:
        return login_page(data.request, redirect_uri=asked.redirect_uri, client=asked.client.name)
    if data.decision != "allow":
        raise asked.refusal("access_denied", "the user has said no")
    session, user = found
    wanted = granted(asked.scope, user.roles)
    await parts.consents.give(user.id, asked.client.id, wanted)
    return await _with_code(parts, asked, session, wanted)


routes = [authorize, login, consent]


async def _read(parts: Parts, query: str) -> AuthorizationRequest:
    return await read_request(
        parse_qsl(query, keep_blank_values=True), parts.clients, issuer=parts.settings.issuer_url
    )


def _stale(asked: AuthorizationRequest, session: Session, now: float) -> bool:
    """Return whether the client wants the password to be given anew."""
    return "login" in asked.prompts or (
        asked.max_age is not None and now - session.auth_time > asked.max_age
    )


async def _needs_leave(
    parts: Parts, asked: AuthorizationRequest, user: User, wanted: frozenset[str]
) -> bool:
    if "consent" in asked.prompts:
        return True
    if asked.client.trusted:
        return False
    return not wanted <= await parts.consents.given(user.id, asked.client.id)


async def _with_code(
    parts: Parts, asked: AuthorizationRequest, session: Session, scope: frozenset[str]
) -> Response[str]:
    code = await parts.codes.issue(
        asked, user_id=session.user_id, scope=scope, auth_time=session.auth_time
    )
    return go_to(asked.answer(code=code))
