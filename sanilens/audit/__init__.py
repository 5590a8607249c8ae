"""How much it says: extraction, sampling, exposure, utility, and the statistics around them."""
