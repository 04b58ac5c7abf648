"""Looking inside a model: what its layers computed, recorded for pictures and measurements."""
