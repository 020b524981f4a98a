"""The stores: one set of parts and named SQL files over SQLite (a file or memory) and PostgreSQL."""
