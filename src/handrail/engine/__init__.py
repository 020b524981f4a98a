"""The engine: the only code that turns a ``Need`` into I/O and an allow into an act."""
