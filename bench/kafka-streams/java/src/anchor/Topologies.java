package anchor;

import com.uber.h3core.H3Core;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** The two topologies of the bench, as processors over persistent stores with changelogs and without record caches. */
final class Topologies {
  private static final int RESOLUTION = 9;

  private Topologies() {}

  static Topology named(String name, String input, String output, H3Core h3, Runnable onRecord) {
    return switch (name) {
      case "presence" -> presence(input, output, h3, onRecord);
      case "count" -> count(input, output, onRecord);
      default -> throw new IllegalArgumentException(name);
    };
  }

  /** The last position of each driver, and a record to the output when its cell has changed. */
  private static Topology presence(String input, String output, H3Core h3, Runnable onRecord) {
    Serde<DriverPosition> positions = PositionCodec.positions();
    ProcessorSupplier<String, DriverPosition, String, DriverPosition> supplier =
        () ->
            new Step<DriverPosition, DriverState, DriverPosition>("drivers", onRecord) {
              @Override
              void step(Record<String, DriverPosition> record) {
                DriverPosition position = record.value();
                long cell = h3.latLngToCell(position.latitude(), position.longitude(), RESOLUTION);
                DriverState before = store.get(record.key());
                store.put(record.key(), new DriverState(cell, position));
                if (before == null || before.cell() != cell) context.forward(record.withKey(Long.toHexString(cell)));
              }
            };
    return new Topology()
        .addSource("positions", Serdes.String().deserializer(), positions.deserializer(), input)
        .addProcessor("presence", supplier, "positions")
        .addStateStore(store("drivers", PositionCodec.states()), "presence")
        .addSink("changes", output, Serdes.String().serializer(), positions.serializer(), "presence");
  }

  /** The number of records of each driver, to the output at each record. */
  private static Topology count(String input, String output, Runnable onRecord) {
    ProcessorSupplier<String, byte[], String, Long> supplier =
        () ->
            new Step<byte[], Long, Long>("counts", onRecord) {
              @Override
              void step(Record<String, byte[]> record) {
                Long before = store.get(record.key());
                long now = before == null ? 1 : before + 1;
                store.put(record.key(), now);
                context.forward(record.withValue(now));
              }
            };
    return new Topology()
        .addSource("positions", Serdes.String().deserializer(), Serdes.ByteArray().deserializer(), input)
        .addProcessor("count", supplier, "positions")
        .addStateStore(store("counts", Serdes.Long()), "count")
        .addSink("totals", output, Serdes.String().serializer(), Serdes.Long().serializer(), "count");
  }

  private static <V> org.apache.kafka.streams.state.StoreBuilder<KeyValueStore<String, V>> store(String name, Serde<V> values) {
    return Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(name), Serdes.String(), values);
  }

  private abstract static class Step<V, S, O> implements Processor<String, V, String, O> {
    protected KeyValueStore<String, S> store;
    protected ProcessorContext<String, O> context;
    private final String storeName;
    private final Runnable onRecord;

    Step(String storeName, Runnable onRecord) {
      this.storeName = storeName;
      this.onRecord = onRecord;
    }

    abstract void step(Record<String, V> record);

    @Override
    public void init(ProcessorContext<String, O> given) {
      context = given;
      store = given.getStateStore(storeName);
    }

    @Override
    public void process(Record<String, V> record) {
      onRecord.run();
      step(record);
    }
  }
}
