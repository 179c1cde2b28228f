-- The database of bmon, step 5: how blocks came into nodes.

-- What the numbers in the column `step` stand for, in the order in which a node goes through the steps.
CREATE TABLE step (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
INSERT INTO step (id, name) VALUES
    (1, 'announced'), (2, 'requested'), (3, 'compact-block'), (4, 'transactions-requested'), (5, 'received'),
    (6, 'reconstructed'), (7, 'tip');

-- When one source of one node first told of a step of a block's way into the node. `detail` (JSON, read it with `->>`)
-- holds what it told: the peer, sizes, and what a compact block was completed from; a key is absent if that was not told.
-- It is JSON because every step has other details, which are always written and read as one.
CREATE TABLE block_step (
    block         INTEGER NOT NULL REFERENCES block (id),
    node          INTEGER NOT NULL REFERENCES node (id),
    step          INTEGER NOT NULL REFERENCES step (id),
    source        INTEGER NOT NULL REFERENCES source (id),
    at_us         INTEGER NOT NULL,
    offset_min_us INTEGER,
    offset_max_us INTEGER,
    detail        TEXT NOT NULL,
    PRIMARY KEY (block, node, step, source)
) STRICT, WITHOUT ROWID;

CREATE INDEX block_by_height ON block (network, height);

-- For people.
CREATE VIEW block_step_time AS
SELECT network.name AS network, block.height, lower(hex(block.hash)) AS block, node.name AS node, step.name AS step,
       source.name AS source, at_us + coalesce((offset_min_us + offset_max_us) / 2, 0) AS server_at_us,
       (offset_max_us - offset_min_us + 1) / 2 AS bound_us,
       strftime('%Y-%m-%dT%H:%M:%fZ', (at_us + coalesce((offset_min_us + offset_max_us) / 2, 0)) / 1e6, 'unixepoch') AS at,
       detail
FROM block_step
JOIN block ON block.id = block_step.block
JOIN node ON node.id = block_step.node
JOIN network ON network.id = block.network
JOIN step ON step.id = block_step.step
JOIN source ON source.id = block_step.source;
