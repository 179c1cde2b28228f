-- The database of bmon, step 8: whom alerts are told.

-- Those that are told of alerts, each from when it was first named in the configuration: what fired and ended before is no
-- news to it.
CREATE TABLE notifier (
    id       INTEGER PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE,
    since_us INTEGER NOT NULL
) STRICT;

-- The alerts that each was told of, and when it first took one; NULL if it was given up.
CREATE TABLE told (
    notifier INTEGER NOT NULL REFERENCES notifier (id),
    alert    INTEGER NOT NULL REFERENCES alert (row),
    at_us    INTEGER,
    PRIMARY KEY (notifier, alert)
) STRICT, WITHOUT ROWID;
