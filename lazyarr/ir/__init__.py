"""The intermediate representation: types, nodes, graphs, their text, checks, and rewriting."""
