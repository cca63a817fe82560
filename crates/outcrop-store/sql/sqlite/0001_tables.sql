-- Counts up with each change of organizations, projects, credentials and admin keys, in the same transaction.
CREATE TABLE directory_version (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL
) STRICT;
INSERT INTO directory_version (id, version) VALUES (1, 0);

-- The secret by which keys are hashed, where the settings have none.
CREATE TABLE secrets (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;

-- `sequence` is the version in which a row was made, `version` the one in which it was last changed.
CREATE TABLE organizations (
    id TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL UNIQUE,
    version INTEGER NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    settings TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX organizations_name ON organizations (name) WHERE status <> 'deleted';
CREATE INDEX organizations_version ON organizations (version);

CREATE TABLE projects (
    id TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL UNIQUE,
    version INTEGER NOT NULL,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    settings TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX projects_name ON projects (organization_id, name) WHERE status <> 'deleted';
CREATE INDEX projects_version ON projects (version);

-- `identity` says, as JSON, what a login must be; a key has a prefix and a hash instead.
CREATE TABLE credentials (
    id TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL UNIQUE,
    version INTEGER NOT NULL,
    project_id TEXT NOT NULL REFERENCES projects (id),
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    prefix TEXT UNIQUE,
    hash BLOB,
    identity TEXT,
    status TEXT NOT NULL,
    expires_at INTEGER,
    settings TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    rotated_from TEXT REFERENCES credentials (id),
    used_by TEXT
) STRICT;
CREATE INDEX credentials_project ON credentials (project_id, sequence);
CREATE INDEX credentials_version ON credentials (version);

CREATE TABLE admin_keys (
    id TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL UNIQUE,
    version INTEGER NOT NULL,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL UNIQUE,
    hash BLOB NOT NULL,
    role TEXT NOT NULL,
    organization_id TEXT REFERENCES organizations (id),
    status TEXT NOT NULL,
    expires_at INTEGER,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX admin_keys_version ON admin_keys (version);

CREATE TABLE audit_log (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    address TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    organization_id TEXT,
    detail TEXT NOT NULL
) STRICT;
CREATE INDEX audit_log_object ON audit_log (object, sequence);
CREATE INDEX audit_log_organization ON audit_log (organization_id, sequence);
CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'the audit log is only added to');
END;
CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'the audit log is only added to');
END;

-- Times are milliseconds since 1970, money is billionths of a dollar. Each index makes each record dearer to write:
-- reports go by time, and by key at most. Records come in about the order of their time, and so do the ids of requests
-- that the gateway makes, so that rows are added at the ends of the table and its indexes.
CREATE TABLE usage_records (
    id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    aws_request_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    organization_id TEXT,
    project_id TEXT,
    key_id TEXT,
    user_name TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    operation TEXT NOT NULL,
    model TEXT NOT NULL,
    called_model TEXT NOT NULL,
    base_model TEXT NOT NULL,
    region TEXT NOT NULL,
    account TEXT NOT NULL,
    route TEXT NOT NULL,
    tier TEXT NOT NULL,
    is_stream INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cache_read_tokens INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    cache_write_1h_tokens INTEGER NOT NULL,
    reasoning_tokens INTEGER NOT NULL,
    images INTEGER NOT NULL,
    searches INTEGER NOT NULL,
    is_estimated INTEGER NOT NULL,
    cost INTEGER,
    cache_savings INTEGER NOT NULL,
    status INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    error_type TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    is_cache_hit INTEGER NOT NULL,
    first_byte_ms INTEGER,
    duration_ms INTEGER NOT NULL,
    metadata TEXT NOT NULL,
    PRIMARY KEY (at, id)
) STRICT;
CREATE INDEX usage_records_key ON usage_records (key_id, at) WHERE key_id IS NOT NULL;
CREATE INDEX usage_records_request ON usage_records (request_id);

-- What was spent in each period. It stays when records of usage are taken out.
CREATE TABLE spend (
    scope TEXT NOT NULL,
    id TEXT NOT NULL,
    period TEXT NOT NULL,
    start INTEGER NOT NULL,
    nanos INTEGER NOT NULL,
    PRIMARY KEY (scope, id, period, start)
) STRICT, WITHOUT ROWID;
CREATE INDEX spend_period ON spend (period, start);

-- What may be used once: proofs of identity.
CREATE TABLE used_once (
    what TEXT PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX used_once_expires ON used_once (expires_at);
