/* queue create MAXMSG MSGSIZE ADDRESS... : creates queues, private to this user;
 *       0 0 takes the system's defaults. System V queues have no shape here:
 *       they get kernel.msgmnb.
 * queue remove ADDRESS... : removes them; one that is gone already is no error.
 *
 * A program apart, so that the library under test has no hand in it. */
#include <fcntl.h>
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>

#include "bench.h"

static int is_sysv(const char *address) { return strncmp(address, "sysv:", 5) == 0; }
static key_t key_of(const char *address) { return (key_t)strtoul(address + 5, NULL, 0); }

/* For a POSIX queue EMFILE means RLIMIT_MSGQUEUE, which all processes of a user
 * share, other namespaces included. */
static void fail_to_create(const char *address) {
  if (errno == EMFILE && !is_sysv(address)) {
    fprintf(stderr, "%s: RLIMIT_MSGQUEUE is used up\n", address);
    exit(1);
  }
  die(address);
}

static void create(const char *address, struct mq_attr *attributes) {
  int id = is_sysv(address)
               ? msgget(key_of(address), IPC_CREAT | IPC_EXCL | 0600)
               : (int)mq_open(address, O_CREAT | O_EXCL | O_RDWR, 0600, attributes);
  if (id == -1) fail_to_create(address);
  if (!is_sysv(address)) mq_close(id);
}

static void destroy(const char *address) {
  if (is_sysv(address)) {
    int id = msgget(key_of(address), 0);
    if (id == -1 ? errno != ENOENT : msgctl(id, IPC_RMID, NULL) == -1) die(address);
  } else if (mq_unlink(address) == -1 && errno != ENOENT) {
    die(address);
  }
}

int main(int argc, char **argv) {
  if (argc > 4 && strcmp(argv[1], "create") == 0) {
    struct mq_attr attributes = {.mq_maxmsg = atol(argv[2]), .mq_msgsize = atol(argv[3])};
    for (int i = 4; i < argc; i++) create(argv[i], attributes.mq_maxmsg ? &attributes : NULL);
    return 0;
  }
  if (argc > 2 && strcmp(argv[1], "remove") == 0) {
    for (int i = 2; i < argc; i++) destroy(argv[i]);
    return 0;
  }
  return 2;
}
