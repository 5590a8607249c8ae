"""Sparse autoencoders of the examined model: train or load, judge, score their features, edit.

`load_sae(folder, model)` gives a `Sae`; `sae.features(x)` are the activations of its features at
its `site`; `feature_activations` reads them over records, `score_features` says which of them carry
spans, `clamped_features` edits them as hooks and `bake_` in the weights.
"""
