-- The database of bmon, step 4: transactions, a few hundred in a row.
--
-- A row for each sighting of a transaction took a third of a kilobyte a transaction with six of them, most of it the same
-- numbers again and again. What the old tables held is dropped and counted as deleted.

DROP VIEW tx_time;
DROP TABLE tx_sighting;
DROP TABLE tx;
UPDATE tally SET kept = 0, deleted = deleted + kept WHERE what = 'tx';

-- Transactions that were first told one after another, and what every node told of them. `begun_at_us` and `last_at_us`
-- are when the server heard of the first and of the last of them. A transaction of which a node told long after the others
-- stands in two rows.
--
-- `txids` is 32 bytes for each, in the order in which the server heard of them. `body` is the byte 1, the number of wtxids (two
-- bytes, little-endian), the wtxids, and in a zstd frame everything else (`tx_chunk.rs` and the files beside it).
--
-- `segment` is the lowest `id` of those that are in `tx_index` together and `ordinal` its place among them, counted from 0;
-- both are NULL while it is in none.
CREATE TABLE tx_chunk (
    id           INTEGER PRIMARY KEY,
    network      INTEGER NOT NULL REFERENCES network (id),
    begun_at_us  INTEGER NOT NULL,
    last_at_us   INTEGER NOT NULL,
    is_full      INTEGER NOT NULL CHECK (is_full IN (0, 1)),
    transactions INTEGER NOT NULL GENERATED ALWAYS AS (length(txids) / 32) VIRTUAL,
    segment      INTEGER,
    ordinal      INTEGER,
    txids        BLOB NOT NULL,
    body         BLOB NOT NULL
) STRICT;
CREATE INDEX tx_chunk_by_time ON tx_chunk (last_at_us);
CREATE INDEX tx_chunk_without_index ON tx_chunk (is_full, id) WHERE segment IS NULL;
CREATE INDEX tx_chunk_by_segment ON tx_chunk (segment, ordinal);

-- Where a transaction is found. A row holds those of a segment whose txid begins with the byte `first_byte`: for each five
-- bytes, ordered, which are the next three of its txid, and (big-endian) 512 times the ordinal of its chunk plus its place
-- there.
CREATE TABLE tx_index (
    first_byte INTEGER NOT NULL,
    segment    INTEGER NOT NULL,
    entries    BLOB NOT NULL,
    PRIMARY KEY (first_byte, segment)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER tx_chunk_made AFTER INSERT ON tx_chunk BEGIN
    UPDATE tally SET kept = kept + new.transactions WHERE what = 'tx' AND kind = '' AND node = 0;
END;
CREATE TRIGGER tx_chunk_grown AFTER UPDATE OF txids ON tx_chunk BEGIN
    UPDATE tally SET kept = kept + new.transactions - old.transactions WHERE what = 'tx' AND kind = '' AND node = 0;
END;
CREATE TRIGGER tx_chunk_deleted AFTER DELETE ON tx_chunk BEGIN
    UPDATE tally SET kept = kept - old.transactions, deleted = deleted + old.transactions
        WHERE what = 'tx' AND kind = '' AND node = 0;
END;

-- For people.
CREATE VIEW tx_chunk_time AS
SELECT tx_chunk.id, network.name AS network, transactions, is_full, length(txids) + length(body) AS bytes,
       strftime('%Y-%m-%dT%H:%M:%fZ', begun_at_us / 1e6, 'unixepoch') AS begun_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', last_at_us / 1e6, 'unixepoch') AS last_at
FROM tx_chunk JOIN network ON network.id = tx_chunk.network;

-- How far apart the nodes of a network saw the transactions that were first seen in the hour that began at `begun_at_us`
-- (server's clock): distributions as sketches, in a zstd frame around a protobuf message (`tx_spread.rs`). Kept for ever.
CREATE TABLE tx_spread (
    id          INTEGER PRIMARY KEY,
    network     INTEGER NOT NULL REFERENCES network (id),
    begun_at_us INTEGER NOT NULL,
    body        BLOB NOT NULL,
    UNIQUE (network, begun_at_us)
) STRICT;
