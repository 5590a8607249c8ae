"""Selective erasure, measured: one person, several in turn, chosen units, everyone."""
