-- The database of bmon: who was told that an alert is over.

-- When a notifier took that an alert is over, or was given up; NULL while it did not. Whoever took alerts before this step is to
-- be told no more of those that are over.
ALTER TABLE told ADD COLUMN ended_at_us INTEGER;
UPDATE told SET ended_at_us = at_us WHERE alert IN (SELECT row FROM alert WHERE state = 'resolved');

-- Those of which a notifier knows, and not that they are over: few.
CREATE INDEX told_open ON told (notifier, alert) WHERE at_us IS NOT NULL AND ended_at_us IS NULL;
