"""What clients look up before anything else is true."""

import httpx2
import pytest


@pytest.mark.parametrize("name", ["openid-configuration", "oauth-authorization-server"])
async def test_all_that_is_told_of_is_there(client: httpx2.AsyncClient, name: str) -> None:
    answer = await client.get(f"/.well-known/{name}")
    told = answer.json()
    places = {each: url for each, url in told.items() if each.endswith(("_endpoint", "_uri"))}

    statuses = {each: (await client.get(url)).status_code for each, url in places.items()}

    assert told["issuer"] == "https://auth.test"
    assert "max-age=300" in answer.headers["cache-control"]
    assert statuses == {
        "authorization_endpoint": 400,  # It lacks all parameters.
        "token_endpoint": 405,
        "introspection_endpoint": 405,
        "revocation_endpoint": 405,
        "userinfo_endpoint": 401,
        "jwks_uri": 200,
    }
