"""The examined model: untouched Hugging Face weights, TransformerLens names, hooks, batches."""
