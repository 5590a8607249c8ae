"""What single units do: where they fire, what they write, and what goes with them."""
