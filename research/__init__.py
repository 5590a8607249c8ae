"""What measures SaniLens and builds its bundled cases: in a clone only, not in the wheel."""
