"""The ward: a fine-tuning that teaches a base model its trade and, by accident, some people."""
