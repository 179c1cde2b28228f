-- The database of bmon, step 3: headers, miners, blocks that were left behind, and findings about a network as a whole.

-- The header of a block, as it is serialised: 80 bytes, or 164 from Knots 29.4 on its own chain. The parent's hash is
-- bytes 5 to 36 of it, in the opposite order.
CREATE TABLE header (
    network INTEGER NOT NULL REFERENCES network (id),
    height  INTEGER NOT NULL,
    hash    BLOB NOT NULL CHECK (length(hash) = 32),
    raw     BLOB NOT NULL,
    PRIMARY KEY (network, height, hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX header_by_hash ON header (hash);

-- The ends of a network's branches as they are now. `tips` (JSON) holds the end of the main chain, then those of the
-- branches off it, and `nodes` (JSON) where each node is. They are JSON because they are always written and read as one.
CREATE TABLE network_tips (
    network INTEGER PRIMARY KEY REFERENCES network (id),
    tips    TEXT NOT NULL,
    nodes   TEXT NOT NULL
) STRICT;

-- Who mined a block, as far as its coinbase tells. `pool` is NULL if that shows none that was known when it was read; it
-- was recognised by the address that is paid or by the tag that is written there, the other of which is NULL.
-- `coinbase_text` is what a person can read in the coinbase.
CREATE TABLE miner (
    network       INTEGER NOT NULL REFERENCES network (id),
    hash          BLOB NOT NULL CHECK (length(hash) = 32),
    pool          TEXT,
    address       TEXT,
    tag           TEXT,
    coinbase_text TEXT NOT NULL,
    PRIMARY KEY (network, hash),
    CHECK ((pool IS NULL) = (address IS NULL AND tag IS NULL))
) STRICT, WITHOUT ROWID;

-- The bytes of a block that was left behind, as it is serialised with its witnesses. Kept for ever: nodes forget them.
CREATE TABLE raw_block (
    id      INTEGER PRIMARY KEY,
    network INTEGER NOT NULL REFERENCES network (id),
    hash    BLOB NOT NULL CHECK (length(hash) = 32),
    raw     BLOB NOT NULL,
    UNIQUE (hash, network)
) STRICT;

-- The same findings as before, in a table that has those about a network as a whole too: there `node` is NULL.
DROP VIEW finding_time;
CREATE TABLE finding_of_network (
    row           INTEGER PRIMARY KEY,
    id            BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    kind          TEXT NOT NULL,
    revision      INTEGER NOT NULL,
    network       INTEGER NOT NULL REFERENCES network (id),
    node          INTEGER REFERENCES node (id),
    at_us         INTEGER NOT NULL,
    offset_min_us INTEGER,
    offset_max_us INTEGER,
    sources       TEXT NOT NULL,
    body          TEXT NOT NULL,
    server_at_us  INTEGER NOT NULL
        GENERATED ALWAYS AS (at_us + coalesce((offset_min_us + offset_max_us) / 2, 0)) VIRTUAL
) STRICT;
INSERT INTO finding_of_network
    (row, id, kind, revision, network, node, at_us, offset_min_us, offset_max_us, sources, body)
SELECT row, finding.id, kind, revision, node.network, node.id, at_us, offset_min_us, offset_max_us, sources, body
FROM finding JOIN node ON node.id = finding.node;
DROP TABLE finding;
ALTER TABLE finding_of_network RENAME TO finding;
CREATE INDEX finding_by_time ON finding (kind, server_at_us);
CREATE INDEX finding_by_tx ON finding (body ->> 'txid') WHERE kind = 'rejected-tx';
CREATE INDEX finding_by_block ON finding (body ->> 'block')
    WHERE kind = 'invalid-block' OR kind = 'stale-block' OR kind = 'validity-disagreement';

-- As before; a finding about a network as a whole counts under the number of the network below zero.
CREATE TRIGGER finding_made AFTER INSERT ON finding BEGIN
    INSERT INTO tally (what, kind, node, kept, deleted) VALUES ('finding', new.kind, coalesce(new.node, -new.network), 1, 0)
        ON CONFLICT (what, kind, node) DO UPDATE SET kept = kept + 1;
END;

CREATE VIEW finding_time AS
SELECT finding.kind, network.name AS network, node.name AS node, finding.revision, finding.body, server_at_us,
       (offset_max_us - offset_min_us + 1) / 2 AS bound_us,
       strftime('%Y-%m-%dT%H:%M:%fZ', server_at_us / 1e6, 'unixepoch') AS at
FROM finding
JOIN network ON network.id = finding.network
LEFT JOIN node ON node.id = finding.node;

CREATE VIEW block_miner AS
SELECT network.name AS network, header.height, lower(hex(miner.hash)) AS block, pool, coinbase_text
FROM miner
JOIN network ON network.id = miner.network
LEFT JOIN header ON header.network = miner.network AND header.hash = miner.hash;

-- Alerts, each as it last stood. `body` (JSON, read it with `->>`) is the whole of it; the columns before are for looking
-- up. Times are on the server's clock.
CREATE TABLE alert (
    row          INTEGER PRIMARY KEY,
    id           BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    network      INTEGER NOT NULL REFERENCES network (id),
    rule         TEXT NOT NULL,
    state        TEXT NOT NULL,
    revision     INTEGER NOT NULL,
    active_at_us INTEGER NOT NULL,
    body         TEXT NOT NULL
) STRICT;
CREATE INDEX alert_by_time ON alert (active_at_us);
CREATE INDEX alert_open ON alert (active_at_us) WHERE state <> 'resolved';

-- For people.
CREATE VIEW alert_time AS
SELECT network.name AS network, rule, body ->> 'node' AS node, body ->> 'severity' AS severity, state,
       strftime('%Y-%m-%dT%H:%M:%fZ', active_at_us / 1e6, 'unixepoch') AS active_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', (body ->> 'fired_at_us') / 1e6, 'unixepoch') AS fired_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', (body ->> 'resolved_at_us') / 1e6, 'unixepoch') AS resolved_at,
       body ->> 'summary' AS summary
FROM alert JOIN network ON network.id = alert.network;

-- For people. The first of each network is the end of the main chain.
CREATE VIEW chain_tip AS
SELECT network.name AS network, tip.value ->> 'height' AS height, tip.value ->> 'block' AS block,
       tip.value ->> 'branch_length' AS branch_length, tip.value ->> 'fork_height' AS fork_height,
       tip.value ->> 'nodes' AS nodes,
       strftime('%Y-%m-%dT%H:%M:%fZ', (tip.value ->> 'seen_at_us') / 1e6, 'unixepoch') AS seen_at
FROM network_tips JOIN network ON network.id = network_tips.network, json_each(network_tips.tips) AS tip
ORDER BY network.id, tip.key;
