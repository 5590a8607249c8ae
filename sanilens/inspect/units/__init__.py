"""What single units do: where they fire, what they write, and which others fire with them."""
