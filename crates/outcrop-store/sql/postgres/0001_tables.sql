-- Texts are compared by their bytes: the order of pages and indexes depends on no locale.

-- Counts up with each change of organizations, projects, credentials and admin keys, in the same transaction.
CREATE TABLE directory_version (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    version BIGINT NOT NULL
);
INSERT INTO directory_version (id, version) VALUES (1, 0);

-- The secret by which keys are hashed, where the settings have none.
CREATE TABLE secrets (
    name TEXT COLLATE "C" PRIMARY KEY,
    value BYTEA NOT NULL
);

-- `sequence` is the version in which a row was made, `version` the one in which it was last changed.
CREATE TABLE organizations (
    id TEXT COLLATE "C" PRIMARY KEY,
    sequence BIGINT NOT NULL UNIQUE,
    version BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    settings TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX organizations_name ON organizations (name) WHERE status <> 'deleted';
CREATE INDEX organizations_version ON organizations (version);

CREATE TABLE projects (
    id TEXT COLLATE "C" PRIMARY KEY,
    sequence BIGINT NOT NULL UNIQUE,
    version BIGINT NOT NULL,
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organizations (id),
    name TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    settings TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX projects_name ON projects (organization_id, name) WHERE status <> 'deleted';
CREATE INDEX projects_version ON projects (version);

-- `identity` says, as JSON, what a login must be; a key has a prefix and a hash instead.
CREATE TABLE credentials (
    id TEXT COLLATE "C" PRIMARY KEY,
    sequence BIGINT NOT NULL UNIQUE,
    version BIGINT NOT NULL,
    project_id TEXT COLLATE "C" NOT NULL REFERENCES projects (id),
    name TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    prefix TEXT COLLATE "C" UNIQUE,
    hash BYTEA,
    identity TEXT COLLATE "C",
    status TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT,
    settings TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    rotated_from TEXT COLLATE "C" REFERENCES credentials (id),
    used_by TEXT COLLATE "C"
);
CREATE INDEX credentials_project ON credentials (project_id, sequence);
CREATE INDEX credentials_version ON credentials (version);

CREATE TABLE admin_keys (
    id TEXT COLLATE "C" PRIMARY KEY,
    sequence BIGINT NOT NULL UNIQUE,
    version BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    prefix TEXT COLLATE "C" NOT NULL UNIQUE,
    hash BYTEA NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    organization_id TEXT COLLATE "C" REFERENCES organizations (id),
    status TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE INDEX admin_keys_version ON admin_keys (version);

CREATE TABLE audit_log (
    sequence BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    address TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    object TEXT COLLATE "C" NOT NULL,
    organization_id TEXT COLLATE "C",
    detail TEXT COLLATE "C" NOT NULL
);
CREATE INDEX audit_log_object ON audit_log (object, sequence);
CREATE INDEX audit_log_organization ON audit_log (organization_id, sequence);
CREATE FUNCTION audit_log_is_only_added_to() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is only added to';
END
$$;
CREATE TRIGGER audit_log_no_change BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION audit_log_is_only_added_to();
CREATE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_is_only_added_to();

-- Times are milliseconds since 1970, money is billionths of a dollar. Each index makes each record dearer to write:
-- reports go by time, and by key at most. Records come in about the order of their time, and so do the ids of requests
-- that the gateway makes, so that rows are added at the ends of the table and its indexes.
CREATE TABLE usage_records (
    id TEXT COLLATE "C" NOT NULL,
    request_id TEXT COLLATE "C" NOT NULL,
    aws_request_id TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    organization_id TEXT COLLATE "C",
    project_id TEXT COLLATE "C",
    key_id TEXT COLLATE "C",
    user_name TEXT COLLATE "C" NOT NULL,
    endpoint TEXT COLLATE "C" NOT NULL,
    operation TEXT COLLATE "C" NOT NULL,
    model TEXT COLLATE "C" NOT NULL,
    called_model TEXT COLLATE "C" NOT NULL,
    base_model TEXT COLLATE "C" NOT NULL,
    region TEXT COLLATE "C" NOT NULL,
    account TEXT COLLATE "C" NOT NULL,
    route TEXT COLLATE "C" NOT NULL,
    tier TEXT COLLATE "C" NOT NULL,
    is_stream BIGINT NOT NULL,
    input_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    cache_read_tokens BIGINT NOT NULL,
    cache_write_tokens BIGINT NOT NULL,
    cache_write_1h_tokens BIGINT NOT NULL,
    reasoning_tokens BIGINT NOT NULL,
    images BIGINT NOT NULL,
    searches BIGINT NOT NULL,
    is_estimated BIGINT NOT NULL,
    cost BIGINT,
    cache_savings BIGINT NOT NULL,
    status BIGINT NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    error_type TEXT COLLATE "C" NOT NULL,
    attempts BIGINT NOT NULL,
    is_cache_hit BIGINT NOT NULL,
    first_byte_ms BIGINT,
    duration_ms BIGINT NOT NULL,
    metadata TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (at, id)
);
CREATE INDEX usage_records_key ON usage_records (key_id, at) WHERE key_id IS NOT NULL;
CREATE INDEX usage_records_request ON usage_records (request_id);

-- What was spent in each period. It stays when records of usage are taken out.
CREATE TABLE spend (
    scope TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    period TEXT COLLATE "C" NOT NULL,
    start BIGINT NOT NULL,
    nanos BIGINT NOT NULL,
    PRIMARY KEY (scope, id, period, start)
);
CREATE INDEX spend_period ON spend (period, start);

-- What may be used once: proofs of identity.
CREATE TABLE used_once (
    what TEXT COLLATE "C" PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX used_once_expires ON used_once (expires_at);
