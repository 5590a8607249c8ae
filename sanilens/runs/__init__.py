"""Doing it, durably: one plan, one folder; resumable, hash-chained, comparable."""
