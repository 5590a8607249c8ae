"""The parts of the page Case."""
