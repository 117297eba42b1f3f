package anchor;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serializer;

/** Confluent frame (a zero byte and the schema's id) and Avro: string, double, double, long, float, float, float. */
final class PositionCodec {
  private static final int FRAME_BYTES = 5;
  private static final int CELL_BYTES = 8;
  private static final int BYTES_MAX = 256;
  private static final byte SCHEMA_ID = 1;
  private static final VarHandle DOUBLE = MethodHandles.byteArrayViewVarHandle(double[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle FLOAT = MethodHandles.byteArrayViewVarHandle(float[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private PositionCodec() {}

  static Serde<DriverPosition> positions() {
    return new BytesSerde<>(value -> write(value, new byte[BYTES_MAX], 0), bytes -> read(bytes, 0));
  }

  /** The cell in eight bytes, then the position. */
  static Serde<DriverState> states() {
    return new BytesSerde<>(
        state -> {
          byte[] target = new byte[BYTES_MAX];
          LONG.set(target, 0, state.cell());
          return write(state.last(), target, CELL_BYTES);
        },
        bytes -> new DriverState((long) LONG.get(bytes, 0), read(bytes, CELL_BYTES)));
  }

  private static byte[] write(DriverPosition value, byte[] target, int start) {
    int at = start;
    target[at + 4] = SCHEMA_ID;
    at += FRAME_BYTES;
    byte[] id = value.driverId().getBytes(StandardCharsets.UTF_8);
    at = writeLong(id.length, target, at);
    System.arraycopy(id, 0, target, at, id.length);
    at += id.length;
    DOUBLE.set(target, at, value.latitude());
    DOUBLE.set(target, at + 8, value.longitude());
    at = writeLong(value.recordedAtMicros(), target, at + 16);
    FLOAT.set(target, at, value.accuracyMetres());
    FLOAT.set(target, at + 4, value.speed());
    FLOAT.set(target, at + 8, value.heading());
    return Arrays.copyOf(target, at + 12);
  }

  private static DriverPosition read(byte[] bytes, int start) {
    Cursor cursor = new Cursor(bytes, start + FRAME_BYTES);
    int length = (int) cursor.readLong();
    String id = new String(bytes, cursor.at, length, StandardCharsets.UTF_8);
    cursor.at += length;
    double latitude = (double) DOUBLE.get(bytes, cursor.at);
    double longitude = (double) DOUBLE.get(bytes, cursor.at + 8);
    cursor.at += 16;
    long recordedAt = cursor.readLong();
    int at = cursor.at;
    return new DriverPosition(
        id, latitude, longitude, recordedAt, (float) FLOAT.get(bytes, at), (float) FLOAT.get(bytes, at + 4), (float) FLOAT.get(bytes, at + 8));
  }

  private static int writeLong(long value, byte[] target, int start) {
    int at = start;
    long rest = (value << 1) ^ (value >> 63);
    for (; (rest & ~0x7fL) != 0; rest >>>= 7) target[at++] = (byte) ((rest & 0x7f) | 0x80);
    target[at++] = (byte) rest;
    return at;
  }

  private static final class Cursor {
    private final byte[] bytes;
    private int at;

    Cursor(byte[] bytes, int at) {
      this.bytes = bytes;
      this.at = at;
    }

    long readLong() {
      long value = 0;
      int shift = 0;
      byte next;
      do {
        next = bytes[at++];
        value |= (long) (next & 0x7f) << shift;
        shift += 7;
      } while (next < 0);
      return (value >>> 1) ^ -(value & 1);
    }
  }

  private record BytesSerde<T>(Serializer<T> writing, Deserializer<T> reading) implements Serde<T> {
    BytesSerde(java.util.function.Function<T, byte[]> write, java.util.function.Function<byte[], T> read) {
      this(
          (Serializer<T>) (topic, value) -> value == null ? null : write.apply(value),
          (Deserializer<T>) (topic, bytes) -> bytes == null ? null : read.apply(bytes));
    }

    @Override
    public Serializer<T> serializer() {
      return writing;
    }

    @Override
    public Deserializer<T> deserializer() {
      return reading;
    }
  }
}
