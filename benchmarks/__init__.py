"""What a guarded call costs, ours beside the other libraries', measured in one interleaved run."""
