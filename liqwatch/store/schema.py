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
)
