"""Logins in a gateway's database, which is a file of SQLite: put there as any other instance would put them."""

import json
import sqlite3
import time
import uuid


class Logins:
    """A file that is there once the gateway runs, and the tables in it."""

    def __init__(self, folder):
        self.path = folder / "outcrop.db"
        self.environment = {"OUTCROP_DATABASE": f"sqlite:{self.path}", "OUTCROP_STATE_DIR": str(folder)}

    def change(self, *statements):
        database = sqlite3.connect(self.path, timeout=10, isolation_level=None)
        try:
            database.execute("BEGIN IMMEDIATE")
            for statement, values in statements:
                update = "UPDATE directory_version SET version = version + 1 RETURNING version"
                (version,) = database.execute(update).fetchone()
                database.execute(statement.replace(":version", str(version)), values)
            database.execute("COMMIT")
        finally:
            database.close()

    def prepare(self):
        """The project that all logins of a test are in."""
        now = int(time.time())
        self.change(
            ("INSERT INTO organizations VALUES ('org_1', :version, :version, 'acme', 'active', '{}', ?)", (now,)),
            ("INSERT INTO projects VALUES ('proj_1', :version, :version, 'org_1', 'app', 'active', '{}', ?)", (now,)),
        )

    def add(self, kind, settings=None, **identity):
        identifier = f"key_{uuid.uuid4().hex[:12]}"
        values = (identifier, identifier, kind, json.dumps(identity), json.dumps(settings or {}), int(time.time()))
        statement = (
            "INSERT INTO credentials (id, sequence, version, project_id, name, kind, identity, status, settings, created_at)"
            " VALUES (?, :version, :version, 'proj_1', ?, ?, ?, 'active', ?, ?)"
        )
        self.change((statement, values))
        return identifier

    def iam(self, arn, **settings):
        return self.add("iam", settings, arn=arn)

    def jwt(self, issuer, **claims):
        return self.add("jwt", issuer=issuer, claims=claims)

    def set_status(self, identifier, status):
        self.change(("UPDATE credentials SET status = ?, version = :version WHERE id = ?", (status, identifier)))
