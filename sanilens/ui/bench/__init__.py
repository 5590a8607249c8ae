"""The parts of the page Bench."""
