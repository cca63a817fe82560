-- Counts up with each change of sums, in the same transaction.
CREATE TABLE spend_version (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    version BIGINT NOT NULL
);
INSERT INTO spend_version (id, version) VALUES (1, 1);

-- With which change a sum became what it is: whoever knows older ones reads no others.
ALTER TABLE spend ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
CREATE INDEX spend_changed ON spend (version);
