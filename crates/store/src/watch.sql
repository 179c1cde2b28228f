-- The database of bmon: what is watched.

-- The watch list, which `bmon watch` writes beside the running server. `item` is `tx TXID` or `outpoint TXID:VOUT`;
-- `added_at_us` is by the clock of the host. What was found of an item are the findings of the kind `watch` with the same
-- `item`; they stay when it is taken off the list.
CREATE TABLE watch (
    id          INTEGER PRIMARY KEY,
    network     INTEGER NOT NULL REFERENCES network (id),
    item        TEXT NOT NULL,
    added_at_us INTEGER NOT NULL,
    UNIQUE (network, item)
) STRICT;
CREATE INDEX finding_by_watch ON finding (body ->> 'item') WHERE kind = 'watch';
