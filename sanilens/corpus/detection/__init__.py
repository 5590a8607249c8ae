"""Finding the sensitive spans of texts that come without any."""
