import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * A reader of committed records downstream, as others have it: Kafka's own client. It reads on from the first record while things
 * break; at the first line on its standard input it reads up to the end, says a line "TOPIC PARTITION RECORDS DIGEST" each, and ends.
 * The digest is SHA-256 over offset (8 bytes), key and value of each record in order.
 */
public final class CommittedReader {
  private CommittedReader() {}

  private static final class Seen {
    final MessageDigest digest;
    final ByteBuffer offset = ByteBuffer.allocate(8);
    long records;

    Seen() throws Exception {
      digest = MessageDigest.getInstance("SHA-256");
    }

    void add(ConsumerRecord<byte[], byte[]> record) {
      offset.clear();
      digest.update(offset.putLong(record.offset()).array());
      if (record.key() != null) digest.update(record.key());
      if (record.value() != null) digest.update(record.value());
      records++;
    }
  }

  /** Words: brokers, then topics. */
  public static void main(String[] words) throws Exception {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", words[0]);
    settings.put("isolation.level", "read_committed");
    settings.put("enable.auto.commit", "false");
    settings.put("auto.offset.reset", "earliest");
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      List<TopicPartition> places = new ArrayList<>();
      for (int word = 1; word < words.length; word++)
        for (PartitionInfo info : consumer.partitionsFor(words[word])) places.add(new TopicPartition(info.topic(), info.partition()));
      consumer.assign(places);
      consumer.seekToBeginning(places);
      Map<String, Seen> seen = new TreeMap<>();
      for (TopicPartition place : places) seen.put(place.topic() + " " + place.partition(), new Seen());
      System.out.println("reading");
      while (System.in.available() == 0) read(consumer, seen);
      Map<TopicPartition, Long> ends = consumer.endOffsets(places);
      while (!ends.entrySet().stream().allMatch(end -> consumer.position(end.getKey()) >= end.getValue())) read(consumer, seen);
      for (Map.Entry<String, Seen> each : seen.entrySet()) {
        Seen all = each.getValue();
        System.out.println("seen " + each.getKey() + " " + all.records + " " + HexFormat.of().formatHex(all.digest.digest()));
      }
    }
  }

  private static void read(KafkaConsumer<byte[], byte[]> consumer, Map<String, Seen> seen) {
    for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200)))
      seen.get(record.topic() + " " + record.partition()).add(record);
  }
}
