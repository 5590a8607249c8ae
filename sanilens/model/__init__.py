"""What might say it: untouched Hugging Face weights, TransformerLens names, hooks, batches."""
