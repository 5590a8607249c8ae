"""The parts of the page Codes."""
