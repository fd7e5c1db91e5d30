-- What a process writes at its end, until the next one puts it among the chunks.
CREATE TABLE tails (
    series BIGINT NOT NULL,
    step BIGINT NOT NULL,
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    points BYTEA NOT NULL,
    PRIMARY KEY (series, step, first)
);
