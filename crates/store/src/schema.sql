-- The database of bmon, step 1.
--
-- It can be read with any `sqlite3` of 3.38 or newer while the server runs; begin with the views at the end.
--
-- Conventions: a column that ends in `_us` is microseconds, since the Unix epoch (UTC) where it is an instant.
-- Hashes are 32 bytes in the order in which Bitcoin Core prints them: `lower(hex(hash))` is the usual text.
-- `at_us` is by the clock that node and agent share. The server's clock minus that one lies between `offset_min_us`
-- and `offset_max_us`; both are NULL when there was no time exchange near enough.

-- What the numbers in the columns `source` and `stage` stand for.
CREATE TABLE source (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
INSERT INTO source (id, name) VALUES (1, 'log'), (2, 'zmq'), (3, 'rpc'), (4, 'host'), (5, 'agent');
CREATE TABLE stage (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
INSERT INTO stage (id, name) VALUES (1, 'header'), (2, 'block'), (3, 'checked'), (4, 'connected');

-- A Bitcoin network. `name` is what getblockchaininfo calls it, else its genesis hash again.
CREATE TABLE network (
    id      INTEGER PRIMARY KEY,
    genesis BLOB NOT NULL UNIQUE CHECK (length(genesis) = 32),
    name    TEXT NOT NULL
) STRICT;

-- A node, and how it is now. `heard_at_us` (server's clock) and `state` (JSON, read it with `->>`) are NULL while
-- nothing but sightings came from it. `state` is JSON because it is always written and read as one.
CREATE TABLE node (
    id          INTEGER PRIMARY KEY,
    network     INTEGER NOT NULL REFERENCES network (id),
    name        TEXT NOT NULL,
    heard_at_us INTEGER,
    state       TEXT,
    UNIQUE (network, name)
) STRICT;

-- A block that any node told of. `height` is NULL while no node told it. `first_at_us` is its earliest sighting, on
-- the server's clock where the offset is known; NULL before the first sighting. It orders the blocks.
CREATE TABLE block (
    id          INTEGER PRIMARY KEY,
    network     INTEGER NOT NULL REFERENCES network (id),
    hash        BLOB NOT NULL CHECK (length(hash) = 32),
    height      INTEGER,
    first_at_us INTEGER,
    UNIQUE (hash, network)
) STRICT;
CREATE INDEX block_by_time ON block (first_at_us);

-- When one source of one node first told that the node had reached a stage with a block.
CREATE TABLE block_sighting (
    block         INTEGER NOT NULL REFERENCES block (id),
    node          INTEGER NOT NULL REFERENCES node (id),
    stage         INTEGER NOT NULL REFERENCES stage (id),
    source        INTEGER NOT NULL REFERENCES source (id),
    at_us         INTEGER NOT NULL,
    offset_min_us INTEGER,
    offset_max_us INTEGER,
    PRIMARY KEY (block, node, stage, source)
) STRICT, WITHOUT ROWID;

-- A transaction that any node told of. Sightings name it by `id`, which takes a tenth of the space of two hashes in
-- each, and grows with time, so that what is written together lies together. `wtxid` is NULL where no node told it.
CREATE TABLE tx (
    id      INTEGER PRIMARY KEY,
    network INTEGER NOT NULL REFERENCES network (id),
    txid    BLOB NOT NULL CHECK (length(txid) = 32),
    wtxid   BLOB CHECK (length(wtxid) = 32),
    UNIQUE (txid, network)
) STRICT;

-- When one source of one node first told of a transaction, as accepted or as rejected.
CREATE TABLE tx_sighting (
    tx            INTEGER NOT NULL REFERENCES tx (id),
    node          INTEGER NOT NULL REFERENCES node (id),
    source        INTEGER NOT NULL REFERENCES source (id),
    at_us         INTEGER NOT NULL,
    offset_min_us INTEGER,
    offset_max_us INTEGER,
    PRIMARY KEY (tx, node, source)
) STRICT, WITHOUT ROWID;

-- What the analyses found, the highest revision of each. `sources` and `body` are JSON. `server_at_us` is `at_us` on
-- the server's clock as well as it is known.
CREATE TABLE finding (
    row           INTEGER PRIMARY KEY,
    id            BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    kind          TEXT NOT NULL,
    revision      INTEGER NOT NULL,
    node          INTEGER NOT NULL REFERENCES node (id),
    at_us         INTEGER NOT NULL,
    offset_min_us INTEGER,
    offset_max_us INTEGER,
    sources       TEXT NOT NULL,
    body          TEXT NOT NULL,
    server_at_us  INTEGER NOT NULL
        GENERATED ALWAYS AS (at_us + coalesce((offset_min_us + offset_max_us) / 2, 0)) VIRTUAL
) STRICT;
CREATE INDEX finding_by_time ON finding (kind, server_at_us);
CREATE INDEX finding_by_tx ON finding (body ->> 'txid') WHERE kind = 'rejected-tx';
CREATE INDEX finding_by_block ON finding (body ->> 'block') WHERE kind = 'invalid-block';

-- The SHA-256 of the token with which the agent of a node delivers.
CREATE TABLE token (node TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32)) STRICT, WITHOUT ROWID;

-- The highest batch sequence that was accepted of a node's spool. `epoch` is the spool's unsigned 64-bit number, in
-- the signed integer of the same bits.
CREATE TABLE accepted (
    node     TEXT NOT NULL,
    epoch    INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (node, epoch)
) STRICT, WITHOUT ROWID;

-- The journal record up to which these tables say everything.
CREATE TABLE journal (only INTEGER PRIMARY KEY CHECK (only = 1), position INTEGER NOT NULL) STRICT;
INSERT INTO journal (only, position) VALUES (1, 0);

-- How many rows there are and how many were deleted, kept by the triggers below in the transaction that makes or
-- deletes a row: counting millions of rows for each scrape of the metrics would take seconds. Findings are counted
-- by kind and node; `kind` is '' and `node` 0 elsewhere.
CREATE TABLE tally (
    what    TEXT NOT NULL,
    kind    TEXT NOT NULL,
    node    INTEGER NOT NULL,
    kept    INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    PRIMARY KEY (what, kind, node)
) STRICT, WITHOUT ROWID;
INSERT INTO tally (what, kind, node, kept, deleted) VALUES ('block', '', 0, 0, 0), ('tx', '', 0, 0, 0);

CREATE TRIGGER block_made AFTER INSERT ON block BEGIN
    UPDATE tally SET kept = kept + 1 WHERE what = 'block' AND kind = '' AND node = 0;
END;
CREATE TRIGGER tx_made AFTER INSERT ON tx BEGIN
    UPDATE tally SET kept = kept + 1 WHERE what = 'tx' AND kind = '' AND node = 0;
END;
CREATE TRIGGER tx_deleted AFTER DELETE ON tx BEGIN
    DELETE FROM tx_sighting WHERE tx = old.id;
    UPDATE tally SET kept = kept - 1, deleted = deleted + 1 WHERE what = 'tx' AND kind = '' AND node = 0;
END;
CREATE TRIGGER finding_made AFTER INSERT ON finding BEGIN
    INSERT INTO tally (what, kind, node, kept, deleted) VALUES ('finding', new.kind, new.node, 1, 0)
        ON CONFLICT (what, kind, node) DO UPDATE SET kept = kept + 1;
END;

-- For people. Times are on the server's clock as well as it is known, with `bound_us` the largest error of that
-- (NULL when unknown) and `at` readable to the millisecond.
CREATE VIEW node_now AS
SELECT network.name AS network, node.name AS node, state ->> 'version' AS version, state ->> 'height' AS height,
       state ->> 'tip' AS tip, state ->> 'mempool_transactions' AS mempool_transactions,
       strftime('%Y-%m-%dT%H:%M:%fZ', heard_at_us / 1e6, 'unixepoch') AS heard_at, heard_at_us
FROM node JOIN network ON network.id = node.network;

CREATE VIEW block_time AS
SELECT network.name AS network, block.height, lower(hex(block.hash)) AS block, node.name AS node, stage.name AS stage,
       source.name AS source, at_us + coalesce((offset_min_us + offset_max_us) / 2, 0) AS server_at_us,
       (offset_max_us - offset_min_us + 1) / 2 AS bound_us,
       strftime('%Y-%m-%dT%H:%M:%fZ', (at_us + coalesce((offset_min_us + offset_max_us) / 2, 0)) / 1e6, 'unixepoch') AS at
FROM block_sighting AS sighting
JOIN block ON block.id = sighting.block
JOIN node ON node.id = sighting.node
JOIN network ON network.id = block.network
JOIN stage ON stage.id = sighting.stage
JOIN source ON source.id = sighting.source;

CREATE VIEW tx_time AS
SELECT network.name AS network, lower(hex(tx.txid)) AS txid, lower(hex(tx.wtxid)) AS wtxid, node.name AS node,
       source.name AS source, at_us + coalesce((offset_min_us + offset_max_us) / 2, 0) AS server_at_us,
       (offset_max_us - offset_min_us + 1) / 2 AS bound_us,
       strftime('%Y-%m-%dT%H:%M:%fZ', (at_us + coalesce((offset_min_us + offset_max_us) / 2, 0)) / 1e6, 'unixepoch') AS at
FROM tx_sighting AS sighting
JOIN tx ON tx.id = sighting.tx
JOIN node ON node.id = sighting.node
JOIN network ON network.id = tx.network
JOIN source ON source.id = sighting.source;

CREATE VIEW finding_time AS
SELECT finding.kind, network.name AS network, node.name AS node, finding.revision, finding.body, server_at_us,
       (offset_max_us - offset_min_us + 1) / 2 AS bound_us,
       strftime('%Y-%m-%dT%H:%M:%fZ', server_at_us / 1e6, 'unixepoch') AS at
FROM finding
JOIN node ON node.id = finding.node
JOIN network ON network.id = node.network;
