"""Other projects' optimizers behind Daybreak's ask/tell: each an extra of its own."""
