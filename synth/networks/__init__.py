"""Networks in the layout of published checkpoints: modules only, shared by generators, recognisers and training."""
