import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteBufferDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Downstream, as a service of others reads it: Kafka's own consumer, committed records only, Apache Avro, ids of a schema registry.
 *
 * <pre>
 * mvn -q -f examples/pom.xml dependency:build-classpath -Dmdep.outputFile=/tmp/classpath
 * java -cp "$(cat /tmp/classpath)" examples/CommittedAssignments.java localhost:9092 http://localhost:8081 [COUNT]
 * </pre>
 *
 * Words: brokers, registry, and after how many assignments it ends (default: never). A line "TYPE JOB {fields}" each.
 */
public final class CommittedAssignments {
  private static final String TOPIC = "dispatch.assignments.v1";
  private static final int FRAME_BYTES = 5;

  private final HttpClient http = HttpClient.newHttpClient();
  private final ObjectMapper json = new ObjectMapper();
  private final String registry;
  private final Map<Integer, Schema> schemas = new HashMap<>();

  private CommittedAssignments(String registry) {
    this.registry = registry;
  }

  public static void main(String[] words) throws Exception {
    long count = words.length > 2 ? Long.parseLong(words[2]) : Long.MAX_VALUE;
    new CommittedAssignments(words[1]).read(words[0], count);
  }

  private void read(String brokers, long count) throws Exception {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", brokers);
    settings.put("group.id", "example-assignments");
    // Without it records of transactions that were aborted would be read too.
    settings.put("isolation.level", "read_committed");
    settings.put("enable.auto.commit", "false");
    settings.put("auto.offset.reset", "earliest");
    try (KafkaConsumer<String, ByteBuffer> consumer =
        new KafkaConsumer<>(settings, new StringDeserializer(), new ByteBufferDeserializer())) {
      consumer.subscribe(List.of(TOPIC));
      for (long seen = 0; seen < count; ) {
        for (ConsumerRecord<String, ByteBuffer> record : consumer.poll(Duration.ofMillis(500))) {
          Object event = decode(record.value());
          String type = ((org.apache.avro.generic.GenericRecord) event).getSchema().getName();
          System.out.println(type + " " + record.key() + " " + event);
          seen++;
        }
        // What is done is done once: here a service would keep its own work and these positions together.
        consumer.commitSync();
      }
    }
  }

  /** Confluent's wire format: a zero, the schema's id, the body. */
  private Object decode(ByteBuffer value) throws Exception {
    if (value.get() != 0) throw new IllegalArgumentException("not in Confluent's wire format");
    Schema writer = schema(value.getInt());
    byte[] body = new byte[value.remaining()];
    value.get(body);
    return new GenericDatumReader<>(writer).read(null, DecoderFactory.get().binaryDecoder(body, null));
  }

  private Schema schema(int id) throws Exception {
    Schema known = schemas.get(id);
    if (known != null) return known;
    HttpRequest request = HttpRequest.newBuilder(URI.create(registry + "/schemas/ids/" + id)).build();
    HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
    if (answer.statusCode() != 200) throw new IllegalStateException("schema " + id + ": " + answer.statusCode() + " " + answer.body());
    Schema schema = new Schema.Parser().parse(json.readTree(answer.body()).get("schema").asText());
    schemas.put(id, schema);
    return schema;
  }
}
