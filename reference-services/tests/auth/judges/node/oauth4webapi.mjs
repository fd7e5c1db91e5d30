// oauth4webapi and jose: each answer is held against the specification, each signature against the published keys.

import assert from "node:assert/strict";
import { createRemoteJWKSet, jwtVerify } from "jose";
import * as oauth from "oauth4webapi";
import { visit } from "./visit.mjs";

const [address, id, redirect, email, password, audience] = process.argv.slice(2);
const insecure = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(address);
let server;
for (const algorithm of ["oidc", "oauth2"]) {
  const response = await oauth.discoveryRequest(issuer, { algorithm, ...insecure });
  server = await oauth.processDiscoveryResponse(issuer, response);
}
const client = { client_id: id, id_token_signed_response_alg: "ES256" };
const auth = oauth.None();
const verifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();
const nonce = oauth.generateRandomNonce();
const url = new URL(server.authorization_endpoint);
url.search = new URLSearchParams({
  client_id: id,
  redirect_uri: redirect,
  response_type: "code",
  scope: "openid email offline_access orders.read",
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
  nonce,
});
const back = oauth.validateAuthResponse(server, client, await visit(url, redirect, email, password), state);
const answer = await oauth.processAuthorizationCodeResponse(
  server,
  client,
  await oauth.authorizationCodeGrantRequest(server, client, auth, back, redirect, verifier, insecure),
  { expectedNonce: nonce, requireIdToken: true },
);
const subject = oauth.getValidatedIdTokenClaims(answer).sub;
await oauth.processUserInfoResponse(
  server,
  client,
  subject,
  await oauth.userInfoRequest(server, client, answer.access_token, insecure),
);
const request = new Request(`${address}/orders`, { headers: { authorization: `Bearer ${answer.access_token}` } });
assert.equal((await oauth.validateJwtAccessToken(server, request, audience, insecure)).sub, subject);

const refreshed = await oauth.processRefreshTokenResponse(
  server,
  client,
  await oauth.refreshTokenGrantRequest(server, client, auth, answer.refresh_token, insecure),
);
const keys = createRemoteJWKSet(new URL(server.jwks_uri));
const rules = { issuer: address, audience, typ: "at+jwt", algorithms: ["ES256"], requiredClaims: ["jti", "sid"] };
assert.equal((await jwtVerify(refreshed.access_token, keys, rules)).payload.scope, "email offline_access openid orders.read");
const identity = await jwtVerify(answer.id_token, keys, { issuer: address, audience: id });
assert.equal(identity.payload.nonce, nonce);
await assert.rejects(jwtVerify(answer.id_token, keys, rules));

const revoked = await oauth.revocationRequest(server, client, auth, refreshed.refresh_token, insecure);
await oauth.processRevocationResponse(revoked);
