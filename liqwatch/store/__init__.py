"""What must outlive the process, in one SQLite file."""

from liqwatch.store.chats import Freezes, MovedChats, Topics
from liqwatch.store.database import Database, Snapshot, StoreError
from liqwatch.store.deliveries import Deliveries, Due, Queued, Shown

__all__ = [
    "Database",
    "Deliveries",
    "Due",
    "Freezes",
    "MovedChats",
    "Queued",
    "Shown",
    "Snapshot",
    "StoreError",
    "Topics",
]
