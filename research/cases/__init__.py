"""The bundled cases, rebuilt from seeds: their texts, tokenizer and models."""
