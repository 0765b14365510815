"""Questions, and their answers: one typed document for each, whatever the face."""
