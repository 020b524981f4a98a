"""Fact sources: the trusted places that rules get their values from."""
