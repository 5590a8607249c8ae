"""What must not be said: records, their sensitive spans, surrogates and look-alikes."""
