-- The file that netauditd keeps. Each "-- migration N" starts what lifts a file from version N-1 to N, in one
-- transaction; user_version holds N. What is released is never edited: a change is a new migration at the end.
--
-- Two layers: tables with small numbers instead of words, because history is long (a transition costs about 100 bytes
-- with its cause and its indexes), and views in the words of CONTRACTS.md 4, which is what programs and people read:
--   finding, transition, cause, proved, policy_report_result.
-- Codes: state 0 pending 1 open 2 suppressed 3 resolved; result and severity as the views spell them. Columns of type
-- ANY hold a number where the text is in `text` (many rows share it), a blob for a UUID, else the text itself.
-- Times are milliseconds since 1970 UTC.

-- migration 1
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Rewritten by every commit: which batch it was, when, and how old the file is by the clock that retention goes by
-- (store/retention.c).
CREATE TABLE pulse (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    batch INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    alive_ms INTEGER NOT NULL,
    age_ms INTEGER NOT NULL,
    debt_ms INTEGER NOT NULL
) STRICT;
INSERT INTO pulse VALUES (1, 0, 0, 0, 0, 0);

-- "Everything up to transition `seq` was there when the file was age_ms old."
CREATE TABLE age_mark (
    seq INTEGER PRIMARY KEY,
    age_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE text (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL
) STRICT;

CREATE TABLE rule (
    id INTEGER PRIMARY KEY,
    policy TEXT NOT NULL,
    rule TEXT NOT NULL,
    category TEXT NOT NULL,
    UNIQUE (policy, rule)
) STRICT;

-- Objects that findings, proofs and causes speak of, by name: uid and version change while the name stays. `key` is
-- the first 8 bytes of SHA-256 over group, kind, namespace and name; `uses` counts the rows that point here.
CREATE TABLE subject (
    id INTEGER PRIMARY KEY,
    key INTEGER NOT NULL,
    api_group ANY NOT NULL,
    kind ANY NOT NULL,
    ns TEXT NOT NULL,
    name TEXT NOT NULL,
    uses INTEGER NOT NULL
) STRICT;
CREATE INDEX subject_key ON subject (key);

-- fp and fp_rest are the two halves of the fingerprint. A pending row stands beside the resolved row of the same
-- finding, which it replaces only when its grace time has ended.
CREATE TABLE finding_row (
    id INTEGER PRIMARY KEY,
    fp BLOB NOT NULL,
    fp_rest BLOB NOT NULL,
    rule INTEGER NOT NULL,
    subject INTEGER NOT NULL,
    version ANY NOT NULL,
    uid ANY NOT NULL,
    state INTEGER NOT NULL,
    result INTEGER NOT NULL,
    severity INTEGER NOT NULL,
    environment INTEGER NOT NULL,
    reason INTEGER NOT NULL,
    reopened INTEGER NOT NULL,
    cycle_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    first_seen_ms INTEGER NOT NULL,
    first_opened_ms INTEGER,
    opened_ms INTEGER,
    resolved_ms INTEGER,
    state_ms INTEGER NOT NULL,
    judged_ms INTEGER NOT NULL,
    due_ms INTEGER,
    message ANY NOT NULL,
    evidence TEXT NOT NULL,
    remediation ANY NOT NULL,
    owner ANY NOT NULL,
    exemption ANY
) STRICT;
CREATE UNIQUE INDEX finding_fp ON finding_row (fp) WHERE state <> 0;
CREATE UNIQUE INDEX finding_pending ON finding_row (fp) WHERE state = 0;
CREATE INDEX finding_subject ON finding_row (subject);
CREATE INDEX finding_live ON finding_row (state) WHERE state <> 3;
CREATE INDEX finding_done ON finding_row (last_seq) WHERE state = 3;

-- The write that caused transitions; several may share one.
CREATE TABLE cause_row (
    id INTEGER PRIMARY KEY,
    verb INTEGER NOT NULL,
    subject INTEGER,
    version ANY,
    uid ANY,
    resource_version ANY,
    manager ANY,
    manager_ms INTEGER,
    from_ms INTEGER,
    to_ms INTEGER,
    uses INTEGER NOT NULL
) STRICT;

CREATE TABLE transition_row (
    seq INTEGER PRIMARY KEY,
    finding INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    to_state INTEGER NOT NULL,
    reason INTEGER NOT NULL,
    result INTEGER NOT NULL,
    severity INTEGER NOT NULL,
    environment INTEGER NOT NULL,
    message ANY NOT NULL,
    cause INTEGER
) STRICT;
CREATE INDEX transition_finding ON transition_row (finding);
CREATE TRIGGER transition_append_only BEFORE UPDATE ON transition_row BEGIN
    SELECT raise(ABORT, 'transitions are append-only');
END;

-- From when to when a rule was proved to hold for a subject; to_ms NULL: still (fp is empty afterwards). Outages are in
-- watch_gap and have to be subtracted. Found by number, not by fingerprint: an index in random order would make a first
-- sync write each of its pages again and again.
CREATE TABLE proved_row (
    id INTEGER PRIMARY KEY,
    fp BLOB NOT NULL,
    rule INTEGER NOT NULL,
    subject INTEGER NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms INTEGER,
    end_seq INTEGER
) STRICT;
CREATE INDEX proved_subject ON proved_row (subject);
CREATE INDEX proved_now ON proved_row (id) WHERE to_ms IS NULL;
CREATE INDEX proved_done ON proved_row (end_seq) WHERE end_seq IS NOT NULL;

CREATE TABLE watch_state (
    kind TEXT PRIMARY KEY,
    resource_version TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE watch_gap (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL,
    reason TEXT NOT NULL
) STRICT;

-- One row per day (UTC) and severity on which something happened; `open` is how many were open at the end of it.
CREATE TABLE trend (
    day TEXT NOT NULL,
    severity TEXT NOT NULL,
    opened INTEGER NOT NULL,
    reopened INTEGER NOT NULL,
    resolved INTEGER NOT NULL,
    open INTEGER NOT NULL,
    PRIMARY KEY (day, severity)
) STRICT, WITHOUT ROWID;

CREATE TABLE status (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    json TEXT NOT NULL
) STRICT;

CREATE TABLE exemption (
    id TEXT PRIMARY KEY,
    rule TEXT NOT NULL,
    namespace TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    selector TEXT NOT NULL,
    reason TEXT NOT NULL,
    owner TEXT NOT NULL,
    ticket TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    target TEXT NOT NULL,
    seq INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    due_ms INTEGER NOT NULL,
    PRIMARY KEY (target, seq)
) STRICT, WITHOUT ROWID;

-- ---- views: the words of CONTRACTS.md 4 ----------------------------------------------------------------------------
CREATE VIEW subject_named AS
SELECT id,
    CASE typeof(api_group) WHEN 'integer' THEN (SELECT text FROM text WHERE id = api_group) ELSE api_group END AS api_group,
    CASE typeof(kind) WHEN 'integer' THEN (SELECT text FROM text WHERE id = kind) ELSE kind END AS kind,
    ns,
    name
FROM subject;

CREATE VIEW finding AS
SELECT f.id AS id,
    lower(hex(f.fp) || hex(f.fp_rest)) AS fingerprint,
    r.policy AS policy,
    r.rule AS rule,
    r.category AS category,
    iif(s.api_group = '', '', s.api_group || '/') || CASE typeof(f.version) WHEN 'integer' THEN (SELECT text FROM text WHERE id = f.version) ELSE f.version END AS api_version,
    s.kind AS subject_kind,
    nullif(s.ns, '') AS namespace,
    s.name AS name,
    CASE typeof(f.uid) WHEN 'blob' THEN lower(substr(hex(f.uid), 1, 8) || '-' || substr(hex(f.uid), 9, 4) || '-'
        || substr(hex(f.uid), 13, 4) || '-' || substr(hex(f.uid), 17, 4) || '-' || substr(hex(f.uid), 21)) ELSE f.uid END AS uid,
    CASE f.state WHEN 0 THEN 'pending' WHEN 1 THEN 'open' WHEN 2 THEN 'suppressed' ELSE 'resolved' END AS state,
    CASE f.result WHEN 0 THEN 'pass' WHEN 1 THEN 'fail' WHEN 2 THEN 'warn' WHEN 3 THEN 'skip' ELSE 'error' END AS result,
    CASE f.severity WHEN 0 THEN 'info' WHEN 1 THEN 'low' WHEN 2 THEN 'medium' WHEN 3 THEN 'high' ELSE 'critical' END AS severity,
    CASE f.environment WHEN 0 THEN 'production' WHEN 1 THEN 'staging' WHEN 2 THEN 'development' ELSE 'standard' END AS environment,
    CASE f.reason WHEN 1 THEN 'fixed' WHEN 2 THEN 'object-gone' WHEN 3 THEN 'exempted' WHEN 4 THEN 'rule-off'
        WHEN 5 THEN 'environment-changed' END AS resolved_reason,
    f.reopened AS reopened,
    f.first_seen_ms AS first_seen_ms,
    f.first_opened_ms AS first_opened_ms,
    f.opened_ms AS opened_ms,
    f.resolved_ms AS resolved_ms,
    f.state_ms AS state_ms,
    f.judged_ms AS judged_ms,
    f.due_ms AS due_ms,
    CASE typeof(f.message) WHEN 'integer' THEN (SELECT text FROM text WHERE id = f.message) ELSE f.message END AS message,
    f.evidence AS evidence,
    CASE typeof(f.remediation) WHEN 'integer' THEN (SELECT text FROM text WHERE id = f.remediation) ELSE f.remediation END AS remediation,
    CASE typeof(f.owner) WHEN 'integer' THEN (SELECT text FROM text WHERE id = f.owner) ELSE f.owner END AS owner,
    CASE typeof(f.exemption) WHEN 'integer' THEN (SELECT text FROM text WHERE id = f.exemption) ELSE f.exemption END AS exemption
FROM finding_row f
JOIN rule r ON r.id = f.rule
JOIN subject_named s ON s.id = f.subject;

CREATE VIEW transition AS
SELECT t.seq AS seq,
    t.finding AS finding_id,
    t.at_ms AS at_ms,
    CASE t.to_state WHEN 0 THEN 'pending' WHEN 1 THEN 'open' WHEN 2 THEN 'suppressed' ELSE 'resolved' END AS to_state,
    CASE t.reason WHEN 1 THEN 'fixed' WHEN 2 THEN 'object-gone' WHEN 3 THEN 'exempted' WHEN 4 THEN 'rule-off'
        WHEN 5 THEN 'environment-changed' END AS reason,
    CASE t.result WHEN 0 THEN 'pass' WHEN 1 THEN 'fail' WHEN 2 THEN 'warn' WHEN 3 THEN 'skip' ELSE 'error' END AS result,
    CASE t.severity WHEN 0 THEN 'info' WHEN 1 THEN 'low' WHEN 2 THEN 'medium' WHEN 3 THEN 'high' ELSE 'critical' END AS severity,
    t.cause AS cause_id,
    CASE t.environment WHEN 0 THEN 'production' WHEN 1 THEN 'staging' WHEN 2 THEN 'development' ELSE 'standard' END AS environment,
    CASE typeof(t.message) WHEN 'integer' THEN (SELECT text FROM text WHERE id = t.message) ELSE t.message END AS message
FROM transition_row t;

-- A cause without an object and with the verb gone was found missing after a time without a daemon: its object is the
-- finding's own.
CREATE VIEW cause AS
SELECT c.id AS id,
    CASE c.verb WHEN 0 THEN 'create' WHEN 1 THEN 'update' WHEN 2 THEN 'delete' WHEN 3 THEN 'found' ELSE 'gone' END AS verb,
    iif(s.api_group = '', '', s.api_group || '/') || CASE typeof(c.version) WHEN 'integer' THEN (SELECT text FROM text WHERE id = c.version) ELSE c.version END AS api_version,
    s.kind AS kind,
    nullif(s.ns, '') AS namespace,
    s.name AS name,
    CASE typeof(c.uid) WHEN 'blob' THEN lower(substr(hex(c.uid), 1, 8) || '-' || substr(hex(c.uid), 9, 4) || '-'
        || substr(hex(c.uid), 13, 4) || '-' || substr(hex(c.uid), 17, 4) || '-' || substr(hex(c.uid), 21)) ELSE c.uid END AS uid,
    CAST(c.resource_version AS TEXT) AS resource_version,
    CASE typeof(c.manager) WHEN 'integer' THEN (SELECT text FROM text WHERE id = c.manager) ELSE c.manager END AS manager,
    c.manager_ms AS manager_ms,
    c.from_ms AS from_ms,
    c.to_ms AS to_ms
FROM cause_row c
LEFT JOIN subject_named s ON s.id = c.subject;

CREATE VIEW proved AS
SELECT p.id AS id,
    r.policy AS policy,
    r.rule AS rule,
    s.kind AS subject_kind,
    nullif(s.ns, '') AS namespace,
    s.name AS name,
    p.from_ms AS from_ms,
    p.to_ms AS to_ms
FROM proved_row p
JOIN rule r ON r.id = p.rule
JOIN subject_named s ON s.id = p.subject;

CREATE VIEW policy_report_result AS
SELECT 'netauditd' AS source,
    policy,
    rule,
    category,
    severity,
    result,
    result <> 'warn' AS scored,
    api_version AS resource_api_version,
    subject_kind AS resource_kind,
    namespace AS resource_namespace,
    name AS resource_name,
    nullif(uid, '') AS resource_uid,
    message,
    state_ms / 1000 AS timestamp,
    -- Put together by hand: SQLite's JSON functions are refused in views where the schema is not trusted. Texts hold no
    -- control characters but the newlines of a remediation, so that is all there is to escape.
    '{"fingerprint":"' || fingerprint || '","environment":"' || environment
        || '","opened":"' || strftime('%Y-%m-%dT%H:%M:%SZ', opened_ms / 1000, 'unixepoch')
        || '","firstOpened":"' || strftime('%Y-%m-%dT%H:%M:%SZ', first_opened_ms / 1000, 'unixepoch')
        || '","reopened":"' || reopened
        || '","owner":"' || replace(replace(owner, '\', '\\'), '"', '\"')
        || '","remediation":"' || replace(replace(replace(remediation, '\', '\\'), '"', '\"'), char(10), '\n')
        || '","evidence":"' || replace(replace(evidence, '\', '\\'), '"', '\"') || '"}' AS properties
FROM finding
WHERE id IN (SELECT id FROM finding_row WHERE state <> 3 AND state = 1); -- said so that the index is used
