"""Training of the networks whose weights this project ships."""
