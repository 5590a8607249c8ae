"""Carrying out a plan: one folder, resumable, hash-chained, comparable."""
