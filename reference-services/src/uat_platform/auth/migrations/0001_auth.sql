-- Times are seconds since 1970. Lists are words with spaces in between, as OAuth writes scopes.

CREATE TABLE users (
    id VARCHAR(40) PRIMARY KEY,
    email VARCHAR(320) NOT NULL UNIQUE,
    username VARCHAR(100) NOT NULL,
    password_hash VARCHAR(300) NOT NULL,
    api_key_digest CHAR(64) NOT NULL UNIQUE,
    roles VARCHAR(500) NOT NULL,
    created_at DOUBLE PRECISION NOT NULL,
    disabled_at DOUBLE PRECISION
);

-- One for each time that somebody signs in, or lets a client in. Without a client it is our own login.
CREATE TABLE sessions (
    id VARCHAR(40) PRIMARY KEY,
    user_id VARCHAR(40) NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_id VARCHAR(100),
    scope VARCHAR(1000) NOT NULL,
    auth_time DOUBLE PRECISION NOT NULL,
    created_at DOUBLE PRECISION NOT NULL,
    used_at DOUBLE PRECISION NOT NULL,
    expires_at DOUBLE PRECISION NOT NULL,
    ended_at DOUBLE PRECISION,
    ended_because VARCHAR(40),
    address VARCHAR(60) NOT NULL,
    agent VARCHAR(300) NOT NULL,
    cookie_digest CHAR(64) UNIQUE
);
CREATE INDEX sessions_of_a_user ON sessions (user_id);
CREATE INDEX sessions_by_end ON sessions (expires_at);

-- Of a token only its digest is kept. `salt` turns the token, which only its bearer has, into its successor.
CREATE TABLE refresh_tokens (
    digest CHAR(64) PRIMARY KEY,
    session_id VARCHAR(40) NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    issued_at DOUBLE PRECISION NOT NULL,
    used_at DOUBLE PRECISION,
    salt VARCHAR(64)
);
CREATE INDEX refresh_tokens_of_a_session ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_by_use ON refresh_tokens (used_at);
CREATE INDEX refresh_tokens_in_grace ON refresh_tokens (used_at) WHERE salt IS NOT NULL;

-- Access tokens that were revoked one by one, until they would have expired.
CREATE TABLE revoked_tokens (
    jti VARCHAR(64) PRIMARY KEY,
    expires_at DOUBLE PRECISION NOT NULL
);

CREATE TABLE signing_keys (
    kid VARCHAR(64) PRIMARY KEY,
    algorithm VARCHAR(10) NOT NULL,
    state VARCHAR(10) NOT NULL,
    private_key TEXT NOT NULL,
    published_at DOUBLE PRECISION NOT NULL,
    signing_since DOUBLE PRECISION,
    retired_at DOUBLE PRECISION
);
CREATE UNIQUE INDEX one_current_key ON signing_keys (algorithm) WHERE state = 'current';
CREATE UNIQUE INDEX one_next_key ON signing_keys (algorithm) WHERE state = 'next';

CREATE TABLE login_failures (
    subject VARCHAR(64) PRIMARY KEY,
    failures INTEGER NOT NULL,
    failed_at DOUBLE PRECISION NOT NULL,
    locked_until DOUBLE PRECISION NOT NULL
);
