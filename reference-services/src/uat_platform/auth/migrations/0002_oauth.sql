-- Clients are programs. One without a secret is public: it proves itself by PKCE alone.

CREATE TABLE clients (
    id VARCHAR(100) PRIMARY KEY,
    name VARCHAR(200) NOT NULL,
    secret_digest CHAR(64),
    redirect_uris TEXT NOT NULL,
    grants VARCHAR(200) NOT NULL,
    scope VARCHAR(1000) NOT NULL,
    trusted INTEGER NOT NULL,
    id_token_algorithm VARCHAR(10) NOT NULL,
    created_at DOUBLE PRECISION NOT NULL
);

-- `session_id` is written when the code is used, so that a second use ends what the first has begun.
CREATE TABLE codes (
    digest CHAR(64) PRIMARY KEY,
    client_id VARCHAR(100) NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    user_id VARCHAR(40) NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    redirect_uri TEXT NOT NULL,
    scope VARCHAR(1000) NOT NULL,
    challenge VARCHAR(128) NOT NULL,
    nonce VARCHAR(500),
    auth_time DOUBLE PRECISION NOT NULL,
    expires_at DOUBLE PRECISION NOT NULL,
    session_id VARCHAR(40)
);

CREATE TABLE consents (
    user_id VARCHAR(40) NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_id VARCHAR(100) NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    scope VARCHAR(1000) NOT NULL,
    given_at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (user_id, client_id)
);
