"""What Arc2Face needs around its networks: prompts of identity vectors, schedulers, guidance, decoding."""
