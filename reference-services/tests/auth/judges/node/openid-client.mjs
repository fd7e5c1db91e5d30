// openid-client: discovery, code with PKCE, user info, refresh, introspection, revocation, client credentials.

import assert from "node:assert/strict";
import * as oidc from "openid-client";
import { visit } from "./visit.mjs";

const [issuer, id, secret, redirect, email, password] = process.argv.slice(2);
const config = await oidc.discovery(new URL(issuer), id, secret, undefined, {
  execute: [oidc.allowInsecureRequests],
});
const verifier = oidc.randomPKCECodeVerifier();
const state = oidc.randomState();
const nonce = oidc.randomNonce();
const url = oidc.buildAuthorizationUrl(config, {
  redirect_uri: redirect,
  scope: "openid profile email offline_access",
  code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
  nonce,
});
const back = await visit(url, redirect, email, password);
const tokens = await oidc.authorizationCodeGrant(config, back, {
  pkceCodeVerifier: verifier,
  expectedState: state,
  expectedNonce: nonce,
  idTokenExpected: true,
});
const claims = tokens.claims();
assert.equal(claims.email, email);
const user = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
assert.equal(user.preferred_username, "ann");

const [one, two] = await Promise.all([
  oidc.refreshTokenGrant(config, tokens.refresh_token),
  oidc.refreshTokenGrant(config, tokens.refresh_token),
]);
assert.equal(one.refresh_token, two.refresh_token);
assert.notEqual(one.refresh_token, tokens.refresh_token);

assert.equal((await oidc.tokenIntrospection(config, one.access_token)).active, true);
await oidc.tokenRevocation(config, one.refresh_token);
assert.equal((await oidc.tokenIntrospection(config, one.access_token)).active, false);
await assert.rejects(oidc.refreshTokenGrant(config, one.refresh_token), { error: "invalid_grant" });

const own = await oidc.clientCredentialsGrant(config, { scope: "orders.read" });
assert.equal(own.scope, "orders.read");
