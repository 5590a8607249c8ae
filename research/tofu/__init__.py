"""TOFU (Maini et al., arXiv 2401.06121): a task of fictitious unlearning, on any causal model.

SaniLens ships without its files: `data` says which, `score` what is measured of one model,
`run` compares a model before and after unlearning with one that never read the forget set.
"""
