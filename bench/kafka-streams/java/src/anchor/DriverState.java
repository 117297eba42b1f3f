package anchor;

/** What is kept of a driver: the last position and its cell. */
record DriverState(long cell, DriverPosition last) {}
