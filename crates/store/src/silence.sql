-- The database of bmon: alerts of which nobody is told.

-- The silences, which `bmon alerts silence` writes beside the running server. What is NULL is any. Times are by the clock of the
-- host. One that ended stays: what resolved under it is told to nobody.
CREATE TABLE silence (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    network      INTEGER REFERENCES network (id),
    rule         TEXT,
    node         TEXT,
    begins_at_us INTEGER NOT NULL,
    ends_at_us   INTEGER NOT NULL,
    comment      TEXT NOT NULL
) STRICT;
