"""Learning: losses on embeddings with their hand-written gradients, the optimizer, the schedule."""
