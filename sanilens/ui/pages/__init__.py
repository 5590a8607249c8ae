"""The pages: one module each, with `page()` drawing it."""
