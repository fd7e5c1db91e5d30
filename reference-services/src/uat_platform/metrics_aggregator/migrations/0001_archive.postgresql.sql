CREATE TABLE series (
    id BIGSERIAL PRIMARY KEY,
    metric TEXT NOT NULL,
    labels TEXT NOT NULL UNIQUE
);
CREATE INDEX series_metric ON series (metric);
-- A row has the samples of one series that were written at once.
CREATE TABLE chunks (
    series BIGINT NOT NULL,
    step BIGINT NOT NULL,
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    points BYTEA NOT NULL,
    PRIMARY KEY (series, step, first)
);
CREATE INDEX chunks_age ON chunks (step, last);
CREATE TABLE registrations (
    service TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    labels TEXT NOT NULL
);
