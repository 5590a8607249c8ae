"""What the page Attacks draws of an attack."""
