"""Pages on finished studies, embeddings and generators, made of what the rooms below computed."""
