"""What recognisers are put together from: detectors, embedding in batches, folders of models."""
