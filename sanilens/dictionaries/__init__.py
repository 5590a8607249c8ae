"""Dictionaries of the examined model's activations: sparse autoencoders and codebooks."""
