"""A robot at the other end of a wire, as a vector environment of one."""
