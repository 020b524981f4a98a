"""Budgets: what is set aside and settled, what is left, what people change, and what they are told."""
