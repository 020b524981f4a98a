"""The sections of a policy file, one a file: each turns its nodes into the typed model."""
