/* sender SIZE ADDRESS... : sends messages of SIZE bytes, to each address in turn.
 *
 * With -DOWNED each message is copied first: what a writer must do whose caller may go on with his
 * memory at once. */
#include "bench.h"
#include "channel.h"

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  die_with_parent();
  size_t size = strtoul(argv[1], NULL, 10);
  int fan = argc - 2;
  struct channel *channels = calloc(fan, sizeof *channels);
  if (!channels) die("calloc");
  for (int i = 0; i < fan; i++) channels[i] = channel_open(argv[2 + i], SENDS);
  size_t capacity;
  struct message *m = channel_buffer(&channels[0], size, &capacity);
#ifdef OWNED
  char *written = calloc(1, size);
  if (!written) die("calloc");
#endif
  say("ready");

  int at = 0;
  for (long count; (count = next_run()) > 0;) {
    struct phase p = phase_start();
    for (long i = 0; i < count; i++) {
#ifdef OWNED
      memcpy(m->data, written, size);
#endif
      channel_send(&channels[at], m, size);
      if (++at == fan) at = 0;
    }
    phase_done(&p);
  }
}
