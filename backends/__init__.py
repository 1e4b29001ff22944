"""Back ends: each runs a graph, and knows no pass."""
