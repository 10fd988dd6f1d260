"""What IDiff-Face needs around its networks: its noise schedule, ways from noise to a latent, guidance, negatives."""
