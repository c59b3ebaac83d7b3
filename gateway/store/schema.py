"""The tables, and how an older database becomes a newer one.

Instants are text, ISO 8601 in UTC with milliseconds (they sort as they follow); lengths of time are seconds. Each entry of
`MIGRATIONS` takes the schema one version further and is never changed once released.
"""

CALLS = """
CREATE TABLE calls (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,            -- the agent's, unique for ever
    call_id TEXT NOT NULL,               -- SIP Call-ID
    trunk TEXT NOT NULL,
    source TEXT NOT NULL,                -- address and port that the INVITE came from
    line TEXT,                           -- NULL: no line has the dialled number
    caller TEXT,                         -- E.164; NULL: withheld or no number
    caller_as_sent TEXT,                 -- NULL: withheld
    caller_name TEXT NOT NULL,
    caller_header TEXT NOT NULL,
    dialled TEXT NOT NULL,               -- JSON list, best candidate first
    diversions TEXT NOT NULL,            -- JSON list of {number, reason}
    verstat TEXT NOT NULL,
    arrived_at TEXT NOT NULL,
    outcome TEXT,                        -- NULL: still ringing
    rang_seconds REAL,
    outcome_at TEXT,
    sip_reason TEXT NOT NULL DEFAULT '',
    decision TEXT,                       -- send, hold, skip
    reason TEXT
)
"""

DECISIONS = """
CREATE TABLE decisions (
    id INTEGER PRIMARY KEY,
    call INTEGER NOT NULL REFERENCES calls (id),
    at TEXT NOT NULL,
    decision TEXT NOT NULL,
    reason TEXT NOT NULL,
    trace TEXT NOT NULL,                 -- JSON list of {rule, saw, verdict, config}
    config_hash TEXT NOT NULL
)
"""

TEXTS = """
CREATE TABLE texts (
    id INTEGER PRIMARY KEY,
    call INTEGER NOT NULL REFERENCES calls (id),
    line TEXT NOT NULL,
    recipient TEXT NOT NULL,             -- E.164
    sender TEXT NOT NULL,
    body TEXT NOT NULL,
    segments INTEGER NOT NULL,
    state TEXT NOT NULL,
    detail TEXT NOT NULL DEFAULT '',     -- the state's reason, in the network's or our words
    bridge TEXT,                         -- that holds or held it
    tried TEXT NOT NULL DEFAULT '[]',    -- JSON list: bridges that declined it in this round
    attempts INTEGER NOT NULL DEFAULT 0,
    queued_at TEXT NOT NULL,
    due_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    claimed_at TEXT,
    settled_at TEXT
)
"""

PARTS = """
CREATE TABLE parts (
    text INTEGER NOT NULL REFERENCES texts (id),
    number INTEGER NOT NULL,
    bridge TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    receipt TEXT,                        -- the last state a receipt gave for this part
    PRIMARY KEY (text, number)
)
"""

RECEIPTS = """
CREATE TABLE receipts (
    id INTEGER PRIMARY KEY,
    bridge TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    recipient TEXT,                      -- E.164; NULL where the network left it out
    state TEXT NOT NULL,
    code TEXT NOT NULL,
    at TEXT NOT NULL,
    text INTEGER REFERENCES texts (id)   -- NULL: matches no text (yet)
)
"""

REPLIES = """
CREATE TABLE replies (
    id INTEGER PRIMARY KEY,
    bridge TEXT NOT NULL,
    sender TEXT NOT NULL,
    recipient TEXT NOT NULL,
    body TEXT NOT NULL,
    at TEXT NOT NULL
)
"""

LEDGER = """
CREATE TABLE consent (                   -- the ledger: rows are added, never changed; the newest of a number holds
    id INTEGER PRIMARY KEY,
    number TEXT NOT NULL,
    wish TEXT NOT NULL,                  -- opt_out, opt_in
    at TEXT NOT NULL,
    source TEXT NOT NULL                 -- where it was said: reply:12, bridge:primary, person
)
"""

TEXTS_WITH_HOLDS = """
CREATE TABLE texts_2 (
    id INTEGER PRIMARY KEY,
    call INTEGER REFERENCES calls (id),  -- NULL: a test text
    line TEXT NOT NULL,
    recipient TEXT NOT NULL,             -- E.164
    region TEXT NOT NULL DEFAULT '',     -- of the recipient, ISO 3166-1
    sender TEXT NOT NULL,
    body TEXT NOT NULL,
    segments INTEGER NOT NULL,
    variant INTEGER,                     -- which variant's message; NULL: the line's own
    state TEXT NOT NULL,
    detail TEXT NOT NULL DEFAULT '',     -- the state's reason, in the network's or our words
    held_for TEXT,                       -- the reason of the hold; NULL: not held
    bridge TEXT,                         -- that holds or held it
    tried TEXT NOT NULL DEFAULT '[]',    -- JSON list: bridges that declined it in this round
    attempts INTEGER NOT NULL DEFAULT 0,
    queued_at TEXT NOT NULL,
    due_at TEXT,                         -- NULL: held until a person says so
    expires_at TEXT NOT NULL,
    claimed_at TEXT,
    settled_at TEXT,
    is_test INTEGER NOT NULL DEFAULT 0   -- counts for nobody
)
"""
UNDELIVERABLE = """
CREATE TABLE undeliverable (             -- numbers that a network said cannot be texted
    number TEXT PRIMARY KEY,
    at TEXT NOT NULL,
    source TEXT NOT NULL                 -- the bridge and its code: primary 0x0000000B
)
"""
REPLY_PARTS = """
CREATE TABLE reply_parts (               -- of long replies that are not whole yet
    bridge TEXT NOT NULL,
    sender TEXT NOT NULL,
    recipient TEXT NOT NULL,
    reference INTEGER NOT NULL,          -- the sender's, the same in all parts
    total INTEGER NOT NULL,
    number INTEGER NOT NULL,             -- from 1
    body TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (bridge, sender, recipient, reference, total, number)
)
"""
NUMBER_REFUSALS = """
CREATE TABLE number_refusals (           -- texts that a bridge refused because of the number: evidence, not proof
    id INTEGER PRIMARY KEY,
    number TEXT NOT NULL,
    at TEXT NOT NULL,
    bridge TEXT NOT NULL,
    code TEXT NOT NULL,
    counts INTEGER                       -- NULL: the bridge has accepted nothing since; 0: it was at fault, or the number lives
)
"""
APPLICATION_ID = 0x54585442
"""`TXTB` in the file's header: this is a Textback database."""
_PILE = "CASE WHEN {row}.state = 'held' AND {row}.due_at IS NULL THEN 'held_for_a_person' ELSE {row}.state END"
_OLD, _NEW = _PILE.format(row="old"), _PILE.format(row="new")
TEXT_COUNTS = """
CREATE TABLE text_counts (               -- how many texts there are by what they wait for; kept by triggers
    pile TEXT PRIMARY KEY,               -- the state; held_for_a_person apart from held
    texts INTEGER NOT NULL
) WITHOUT ROWID
"""
_ADD = f"INSERT INTO text_counts VALUES ({_NEW}, 1) ON CONFLICT (pile) DO UPDATE SET texts = texts + 1"
_TAKE = f"UPDATE text_counts SET texts = texts - 1 WHERE pile = {_OLD}"
_KEPT = (
    "id, call, line, recipient, sender, body, segments, state, detail, bridge, tried, attempts, queued_at, due_at, expires_at,"
    " claimed_at, settled_at"
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        CALLS,
        "CREATE INDEX calls_open ON calls (key) WHERE outcome IS NULL",
        "CREATE INDEX calls_by_caller ON calls (caller, line, arrived_at)",
        DECISIONS,
        "CREATE INDEX decisions_by_call ON decisions (call)",
        TEXTS,
        "CREATE INDEX texts_waiting ON texts (due_at) WHERE state = 'queued'",
        "CREATE INDEX texts_under_way ON texts (id) WHERE state IN ('sending', 'unknown')",
        "CREATE INDEX texts_by_recipient ON texts (recipient, line, queued_at)",
        "CREATE INDEX texts_by_call ON texts (call)",
        PARTS,
        "CREATE INDEX parts_by_provider_id ON parts (provider_id)",
        RECEIPTS,
        "CREATE INDEX receipts_unmatched ON receipts (recipient) WHERE text IS NULL",
        REPLIES,
        LEDGER,
        "CREATE INDEX consent_by_number ON consent (number, id)",
    ),
    (
        "ALTER TABLE calls ADD COLUMN done_at TEXT",  # a person has dealt with it
        TEXTS_WITH_HOLDS,
        f"INSERT INTO texts_2 ({_KEPT}) SELECT {_KEPT} FROM texts",
        "DROP TABLE texts",
        "ALTER TABLE texts_2 RENAME TO texts",
        "CREATE INDEX texts_waiting ON texts (due_at) WHERE state = 'queued'",
        "CREATE INDEX texts_held ON texts (due_at) WHERE state = 'held'",
        "CREATE INDEX texts_under_way ON texts (id) WHERE state IN ('sending', 'unknown')",
        "CREATE INDEX texts_by_recipient ON texts (recipient, line, queued_at)",
        "CREATE INDEX texts_by_call ON texts (call)",
        "CREATE INDEX texts_by_time ON texts (queued_at, state, is_test, region)",
        "CREATE INDEX calls_done ON calls (caller, line, done_at) WHERE done_at IS NOT NULL",
        "CREATE INDEX calls_by_time ON calls (arrived_at)",
        "CREATE INDEX replies_by_sender ON replies (sender, at)",
    ),
    (
        "ALTER TABLE texts ADD COLUMN is_answer INTEGER NOT NULL DEFAULT 0",  # to STOP, START or HELP: counts for nobody
        "ALTER TABLE replies ADD COLUMN wish TEXT",  # opt_out, opt_in, help; NULL: a message for people
        "CREATE INDEX texts_answers ON texts (recipient, queued_at) WHERE is_answer",
    ),
    (UNDELIVERABLE,),
    (
        "ALTER TABLE replies ADD COLUMN provider_id TEXT NOT NULL DEFAULT ''",  # the network's own; '': it gave none
        "CREATE UNIQUE INDEX replies_by_provider_id ON replies (bridge, provider_id) WHERE provider_id != ''",
        REPLY_PARTS,
        "CREATE INDEX texts_expiring ON texts (expires_at) WHERE state = 'queued'",
        "CREATE INDEX receipts_by_provider_id ON receipts (bridge, provider_id)",
    ),
    (
        NUMBER_REFUSALS,
        "CREATE INDEX number_refusals_by_number ON number_refusals (number, at)",
        "CREATE INDEX number_refusals_pending ON number_refusals (bridge, number) WHERE counts IS NULL",
        "INSERT INTO number_refusals (number, at, bridge, code, counts)"  # one refusal alone had marked these
        " SELECT number, at, substr(source, 1, instr(source, ' 0x0000000B') - 1), '0x0000000B', 1 FROM undeliverable"
        " WHERE source LIKE '% 0x0000000B'",
        "DELETE FROM undeliverable WHERE source LIKE '% 0x0000000B'",
        "ALTER TABLE texts ADD COLUMN answer_to TEXT",  # the wish that an answer answers: opt_out, opt_in, help
        "CREATE INDEX texts_by_history ON texts (line, tried, is_answer, due_at, id) WHERE state = 'queued'",
    ),
    (
        f"PRAGMA application_id = {APPLICATION_ID}",
        TEXT_COUNTS,
        f"INSERT INTO text_counts SELECT {_PILE.format(row='texts')} AS pile, count(*) FROM texts GROUP BY pile",
        f"CREATE TRIGGER text_counted AFTER INSERT ON texts BEGIN {_ADD}; END",
        f"CREATE TRIGGER text_uncounted AFTER DELETE ON texts BEGIN {_TAKE}; END",
        f"CREATE TRIGGER text_moved AFTER UPDATE OF state, due_at ON texts WHEN {_OLD} != {_NEW} BEGIN {_TAKE}; {_ADD}; END",
    ),
    (
        "ALTER TABLE consent ADD COLUMN line TEXT",  # where a person heard it; NULL: not said, or it was written
        "ALTER TABLE consent ADD COLUMN note TEXT NOT NULL DEFAULT ''",  # in a person's words
    ),
    (
        "ALTER TABLE texts ADD COLUMN kind TEXT NOT NULL DEFAULT 'missed_call'",  # test, confirmation
        "UPDATE texts SET kind = CASE WHEN is_answer THEN 'confirmation' ELSE 'test' END WHERE is_answer OR is_test",
        "DROP INDEX texts_answers",
        "DROP INDEX texts_by_time",
        "DROP INDEX texts_by_history",
        "ALTER TABLE texts DROP COLUMN is_test",
        "ALTER TABLE texts DROP COLUMN is_answer",
        "ALTER TABLE texts RENAME COLUMN answer_to TO confirms",  # the wish that a confirmation confirms
        "CREATE INDEX texts_confirmations ON texts (recipient, queued_at) WHERE kind = 'confirmation'",
        "CREATE INDEX texts_by_time ON texts (queued_at)",
        # what the limits count, at each missed call
        "CREATE INDEX texts_sent ON texts (queued_at, region) WHERE kind IN ('missed_call')"
        " AND state IN ('accepted', 'delivered', 'queued', 'sending', 'undelivered', 'unknown')",
        "CREATE INDEX texts_by_history ON texts (line, tried, kind, due_at, id) WHERE state = 'queued'",
    ),
    ("ALTER TABLE calls ADD COLUMN same_call_as INTEGER",),  # the call whose later round it is; NULL: it is its own
    # who called before `caller` did, by the trunk, in mid-ring: JSON list of {caller, as_sent, header, until}, oldest first
    ("ALTER TABLE calls ADD COLUMN earlier_callers TEXT NOT NULL DEFAULT '[]'",),
)

VERSION = len(MIGRATIONS)
