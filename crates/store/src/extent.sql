-- The database of bmon, step 7: a node can be slow along hours as well as along heights, so both stand under one name.

UPDATE finding
SET body = json_remove(
    json_set(body, '$.extent', json_object('heights', json_object('from', body -> 'from_height', 'to', body -> 'to_height'))),
    '$.from_height', '$.to_height'
)
WHERE kind IN ('slow-node', 'delay-drift') AND body -> 'from_height' IS NOT NULL;
