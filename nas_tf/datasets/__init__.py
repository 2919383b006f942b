"""Images with labels as `tf.data` pipelines, in fixed and disjoint splits."""
