"""A discrete bottleneck in the examined model, trained once; what it carries is deleted by code.

After CodeUnlearn (Wu, Dossou and Liu, 2410.10866) and Codebook Features (Tamkin, Taufeeque and
Goodman, 2310.17230). The former's number of codes, layer, loss and way of retrieval are not
published, so those are ours and this is no reproduction.

`train_codebook` makes a `Codebook`, `bottleneck` runs the model through it with some codes deleted,
`read_codes` says which codes stand for which token, `code_table` which of them a topic uses.
"""
