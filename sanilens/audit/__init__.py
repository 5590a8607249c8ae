"""What the model gives away: extraction, exposure, membership, perplexity, statistics."""
