"""What Vec2Face needs around its network: perturbation of vectors, poses, attribute optimisation."""
