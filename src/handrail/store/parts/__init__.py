"""The parts of a transaction: each turns one Protocol of ``ports`` into named queries."""
