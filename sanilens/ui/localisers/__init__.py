"""The parts of the page Localisers."""
