"""Whether a model that asks the server concludes what is true: tasks, truth, score."""
