"""Changes training images at random, a whole batch at a time on its device."""
