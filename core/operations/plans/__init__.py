"""Plans carried out: order, pace, moves and resuming."""
