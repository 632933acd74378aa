"""Many runs: the spec of a study, Ray, the index of runs."""
