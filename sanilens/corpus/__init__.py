"""The corpus: records, the spans in them that must not be said, and surrogates for these."""
