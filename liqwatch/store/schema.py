"""The tables, as the steps that led to them. A released step is never changed: add the next one."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE alerts (
            number INTEGER PRIMARY KEY,  -- order of decision
            id TEXT NOT NULL UNIQUE,
            episode TEXT,
            json BLOB NOT NULL
        )
        """,
        "CREATE INDEX alerts_of_episode ON alerts (episode, number)",
        """
        CREATE TABLE deliveries (
            number INTEGER PRIMARY KEY,
            alert TEXT NOT NULL REFERENCES alerts (id),
            receiver TEXT NOT NULL,
            episode TEXT,
            role TEXT NOT NULL,
            rank INTEGER NOT NULL,       -- lower goes out first
            silent INTEGER NOT NULL,
            reason TEXT NOT NULL,        -- why it is sent
            state TEXT NOT NULL DEFAULT 'pending',
            uncertain INTEGER NOT NULL DEFAULT 0,  -- an attempt may have arrived
            outcome TEXT NOT NULL DEFAULT ''
        )
        """,
        """
        CREATE INDEX pending_deliveries ON deliveries (receiver, rank, number)
        WHERE state = 'pending'
        """,
        """
        CREATE TABLE episode_messages (
            receiver TEXT NOT NULL,
            episode TEXT NOT NULL,
            message_id INTEGER NOT NULL,
            PRIMARY KEY (receiver, episode)
        )
        """,
        "CREATE TABLE moved_chats (old INTEGER PRIMARY KEY, new INTEGER NOT NULL)",
        """
        CREATE TABLE snapshots (
            name TEXT PRIMARY KEY,
            version INTEGER NOT NULL,
            blob BLOB NOT NULL,
            saved_at_ms INTEGER NOT NULL
        )
        """,
    ),
    (
        "CREATE TABLE overrides (name TEXT PRIMARY KEY, json BLOB NOT NULL)",
        """
        CREATE TABLE buttons (
            token TEXT PRIMARY KEY,      -- random: who knows it has seen the message
            chat INTEGER NOT NULL,
            key TEXT NOT NULL,           -- story or alert that the message shows
            message_id INTEGER,          -- NULL until it is sent
            json BLOB NOT NULL,
            expires_ms INTEGER NOT NULL,
            UNIQUE (chat, key)
        )
        """,
    ),
    (
        "ALTER TABLE alerts ADD COLUMN time_ms INTEGER NOT NULL DEFAULT 0",
        """
        UPDATE alerts
        SET time_ms = coalesce(json_extract(CAST(json AS TEXT), '$.time'), 0)
        """,
        "ALTER TABLE deliveries RENAME TO old_deliveries",
        "DROP INDEX pending_deliveries",
        """
        CREATE TABLE deliveries (
            number INTEGER PRIMARY KEY,
            place INTEGER NOT NULL,      -- in the queue; an edit takes that of the one it replaces
            alert TEXT REFERENCES alerts (id),
            besides BLOB NOT NULL,       -- JSON: what else is told, or instead
            time_ms INTEGER NOT NULL,    -- of what is told
            receiver TEXT NOT NULL,
            story TEXT,
            role TEXT NOT NULL,
            rank INTEGER NOT NULL,       -- lower goes out first
            silent INTEGER NOT NULL,
            reason TEXT NOT NULL,        -- why it is sent, or is not
            state TEXT NOT NULL,
            uncertain INTEGER NOT NULL DEFAULT 0,  -- an attempt may have arrived
            outcome TEXT NOT NULL DEFAULT ''
        )
        """,
        """
        INSERT INTO deliveries
        SELECT old_deliveries.number, old_deliveries.number, alert, '{}', time_ms, receiver,
            old_deliveries.episode, role, rank, silent, reason, state, uncertain, outcome
        FROM old_deliveries JOIN alerts ON alerts.id = alert
        """,
        "DROP TABLE old_deliveries",
        """
        CREATE INDEX pending_deliveries ON deliveries (receiver, rank, place)
        WHERE state = 'pending'
        """,
        "CREATE INDEX deliveries_of_alert ON deliveries (alert)",
        "CREATE INDEX deliveries_of_story ON deliveries (story, receiver)",
        "ALTER TABLE episode_messages RENAME TO messages",
        "ALTER TABLE messages RENAME COLUMN episode TO story",
        # Where the story's picture is: the same message, or one beneath it.
        "ALTER TABLE messages ADD COLUMN picture_id INTEGER",
        "CREATE TABLE desks (receiver TEXT PRIMARY KEY, json BLOB NOT NULL)",
        # Times in seconds of the wall clock: they outlive the process.
        "CREATE TABLE freezes (receiver TEXT PRIMARY KEY, until_s REAL NOT NULL)",
        """
        CREATE TABLE topics (
            chat INTEGER NOT NULL,
            name TEXT NOT NULL,
            thread INTEGER NOT NULL,
            PRIMARY KEY (chat, name)
        )
        """,
    ),
)
