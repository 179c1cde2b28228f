-- The database of bmon, step 2: how long nodes took to connect blocks.

-- How long a node took to connect a block, when it did so first; `at_us` is when it was done. `processing` (JSON, read it
-- with `->>`) holds every step, in microseconds, NULL where it was not told. It is JSON because it is always written and
-- read as one.
CREATE TABLE block_processing (
    block         INTEGER NOT NULL REFERENCES block (id),
    node          INTEGER NOT NULL REFERENCES node (id),
    at_us         INTEGER NOT NULL,
    offset_min_us INTEGER,
    offset_max_us INTEGER,
    processing    TEXT NOT NULL,
    PRIMARY KEY (block, node)
) STRICT, WITHOUT ROWID;

-- For people.
CREATE VIEW block_processing_time AS
SELECT network.name AS network, block.height, lower(hex(block.hash)) AS block, node.name AS node,
       processing ->> 'total_us' AS total_us, processing ->> 'load_us' AS load_us,
       processing ->> 'connect_us' AS connect_us, processing ->> 'scripts_us' AS scripts_us,
       processing ->> 'flush_us' AS flush_us, processing ->> 'chainstate_us' AS chainstate_us,
       processing ->> 'postprocess_us' AS postprocess_us, processing ->> 'transactions' AS transactions,
       processing ->> 'inputs' AS inputs
FROM block_processing
JOIN block ON block.id = block_processing.block
JOIN node ON node.id = block_processing.node
JOIN network ON network.id = block.network;
