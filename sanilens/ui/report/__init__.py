"""What a run shows: the pieces of the page Report."""
