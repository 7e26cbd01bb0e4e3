"""What must outlive the process, in one SQLite file."""

from liqwatch.store.chats import MovedChats
from liqwatch.store.database import Database, Snapshot, StoreError
from liqwatch.store.deliveries import Deliveries, Due

__all__ = ["Database", "Deliveries", "Due", "MovedChats", "Snapshot", "StoreError"]
