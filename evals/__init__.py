"""Whether a model that asks the server concludes what is true: tasks, their truth, and the score."""
