"""The database and every line of SQL."""

import sqlite3

StoreConnection = sqlite3.Connection
"""What a step gets: the database, within the step's transaction."""
StoreRow = sqlite3.Row
