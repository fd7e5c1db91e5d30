CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    metric TEXT NOT NULL,
    labels TEXT NOT NULL UNIQUE
);
CREATE INDEX series_metric ON series (metric);
-- A row has the samples of one series that were written at once.
CREATE TABLE chunks (
    series INTEGER NOT NULL,
    step INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    points BLOB NOT NULL,
    PRIMARY KEY (series, step, first)
) WITHOUT ROWID;
CREATE INDEX chunks_age ON chunks (step, last);
CREATE TABLE registrations (
    service TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    labels TEXT NOT NULL
);
