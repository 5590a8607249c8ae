"""A discrete bottleneck in the examined model, trained once; deletion takes codes out of it.

After CodeUnlearn (Wu, Dossou and Liu, 2410.10866) and Codebook Features (Tamkin, Taufeeque and
Goodman, 2310.17230). The former does not publish its number of codes, layer, loss or way of
retrieval, so those are ours and this is not a reproduction.

`train_codebook` makes a `Codebook`, `bottleneck` runs the model through it with some codes deleted,
`read_codes` says which codes stand for which token, `code_table` which of them a topic uses.
"""
