"""How loops and branches of a traced function become nodes of its program."""
