"""Where a memory sits: attribution, exact ablation, and what single units do."""
