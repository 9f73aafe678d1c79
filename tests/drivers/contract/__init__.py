"""What every driver promises, tried on the real thing: one suite, run over each kind that has a case."""
