"""Calls of models: claimed, cut off, settled, kept and read."""
