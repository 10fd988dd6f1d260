"""Files of weights: which a component needs, where they come from, how they are read and converted."""
