package anchor;

/** A position of one driver, as both sides of the bench read it. */
record DriverPosition(
    String driverId,
    double latitude,
    double longitude,
    long recordedAtMicros,
    float accuracyMetres,
    float speed,
    float heading) {}
