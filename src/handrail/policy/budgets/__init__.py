"""Budgets in the policy file: their words, scopes, windows, and what does not load."""
