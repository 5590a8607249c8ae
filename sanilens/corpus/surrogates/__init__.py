"""Surrogates: invented values of the same form, to stand in the place of sensitive ones."""
