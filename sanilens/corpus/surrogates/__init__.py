"""What may stand in the place of a sensitive value: invented, and of the same form."""
