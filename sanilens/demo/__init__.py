"""The bundled case: how its models are made, and the whole way through it without a browser."""
