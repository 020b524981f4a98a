"""The vocabulary: frozen dataclasses, enums and tables that every other room speaks in."""
