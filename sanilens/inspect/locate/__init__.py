"""Which units carry a memory: localisers, their scores, and how far these can be believed."""
