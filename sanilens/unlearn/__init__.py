"""Taking it out: plans, edits of units, and repair."""
