"""Repairs of a masked language model: a small BERT that fills in the ward's people."""
