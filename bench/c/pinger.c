/* pinger SIZE OUT BACK : sends to OUT, waits for the answer on BACK, and
 * reports how long each round trip took. */
#include "bench.h"
#include "channel.h"

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  die_with_parent();
  size_t size = strtoul(argv[1], NULL, 10);
  struct channel out = channel_open(argv[2], SENDS);
  struct channel back = channel_open(argv[3], RECEIVES);
  size_t capacity, answer_capacity;
  struct message *m = channel_buffer(&out, size, &capacity);
  struct message *answer = channel_buffer(&back, size, &answer_capacity);
  say("ready");

  for (long count; (count = next_run()) > 0;) {
    int64_t *took = calloc(count, sizeof *took);
    if (!took) die("calloc");
    struct phase p = phase_start();
    for (long i = 0; i < count; i++) {
      int64_t start = now_ns();
      channel_send(&out, m, size);
      channel_receive(&back, answer, answer_capacity);
      took[i] = now_ns() - start;
    }
    phase_result(&p);
    printf(",\"roundTripNs\":[");
    for (long i = 0; i < count; i++) printf("%s%lld", i ? "," : "", (long long)took[i]);
    printf("]}\n");
    fflush(stdout);
    free(took);
  }
}
