-- What a process writes at its end, until the next one puts it among the chunks.
CREATE TABLE tails (
    series INTEGER NOT NULL,
    step INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    points BLOB NOT NULL,
    PRIMARY KEY (series, step, first)
) WITHOUT ROWID;
