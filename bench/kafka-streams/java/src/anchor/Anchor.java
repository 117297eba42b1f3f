package anchor;

import com.uber.h3core.H3Core;
import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.processor.StateRestoreListener;

/**
 * Runs one topology on Kafka Streams, exactly once, until SIGTERM. Says on standard output, a line each: "first" at the first
 * record, "running", "restored RECORDS MILLISECONDS". Whoever started it measures it from outside.
 */
public final class Anchor {
  private Anchor() {}

  /** Words: topology, brokers, application id, state folder, input, output, threads, session timeout in ms. */
  public static void main(String[] words) throws Exception {
    AtomicBoolean seen = new AtomicBoolean();
    Runnable onRecord =
        () -> {
          if (!seen.get() && seen.compareAndSet(false, true)) say("first");
        };
    KafkaStreams streams = new KafkaStreams(Topologies.named(words[0], words[4], words[5], H3Core.newInstance(), onRecord), settings(words));
    streams.setUncaughtExceptionHandler(
        error -> {
          error.printStackTrace();
          return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
    streams.setGlobalStateRestoreListener(new Restoring());
    streams.setStateListener(
        (now, before) -> {
          if (now == KafkaStreams.State.RUNNING) say("running");
          if (now == KafkaStreams.State.ERROR) System.exit(1);
        });
    CountDownLatch stopped = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  streams.close(Duration.ofSeconds(30));
                  stopped.countDown();
                }));
    say("starting");
    streams.start();
    stopped.await();
  }

  private static Properties settings(String[] words) {
    Properties settings = new Properties();
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, words[1]);
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, words[2]);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, words[3]);
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, words[6]);
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
    settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    // As the other side: whoever comes back after a kill takes its own place in the group.
    settings.put(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG, "anchor");
    settings.put(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, words[7]);
    settings.put(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG, Integer.parseInt(words[7]) / 4);
    return settings;
  }

  private static synchronized void say(String what) {
    System.out.println(what);
    System.out.flush();
  }

  /** From the first store that begins to the last that ends. */
  private static final class Restoring implements StateRestoreListener {
    private final AtomicLong began = new AtomicLong();
    private final AtomicLong records = new AtomicLong();
    private final AtomicLong open = new AtomicLong();

    @Override
    public void onRestoreStart(TopicPartition partition, String store, long from, long to) {
      began.compareAndSet(0, System.nanoTime());
      open.incrementAndGet();
    }

    @Override
    public void onBatchRestored(TopicPartition partition, String store, long end, long count) {}

    @Override
    public void onRestoreEnd(TopicPartition partition, String store, long total) {
      records.addAndGet(total);
      long milliseconds = (System.nanoTime() - began.get()) / 1_000_000;
      if (open.decrementAndGet() == 0) say("restored " + records.get() + " " + milliseconds);
    }
  }
}
