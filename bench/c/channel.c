#define _GNU_SOURCE
#include "channel.h"

#include <fcntl.h>
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench.h"

/* As much as one read(2) of a socket asks for; Node.js asks for the same. */
static const size_t SOCKET_READ = 64 * 1024;

static int open_socket(const char *path, enum side side) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    die(path);
  }
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (fd == -1) die("socket");
  if (side == SENDS) {
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == -1) die("connect");
    return fd;
  }
  if (bind(fd, (struct sockaddr *)&address, sizeof address) == -1) die("bind");
  if (listen(fd, 1) == -1) die("listen");
  /* Ready means: listening. The sender is started only then. */
  say("ready");
  int connection = accept(fd, NULL, NULL);
  if (connection == -1) die("accept");
  return connection;
}

struct channel channel_open(const char *address, enum side side) {
  struct channel c;
  if (strncmp(address, "sysv:", 5) == 0) {
    c.kind = SYSV;
    c.id = msgget((key_t)strtoul(address + 5, NULL, 0), 0);
  } else if (strncmp(address, "unix:", 5) == 0) {
    c.kind = UNIX;
    c.id = open_socket(address + 5, side);
  } else {
    c.kind = POSIX;
    c.id = mq_open(address, side == SENDS ? O_WRONLY : O_RDONLY);
  }
  if (c.id == -1) die(address);
  return c;
}

struct message *channel_buffer(const struct channel *c, size_t size, size_t *capacity) {
  *capacity = size;
  if (c->kind == POSIX) {
    struct mq_attr attributes;
    if (mq_getattr(c->id, &attributes) == -1) die("mq_getattr");
    *capacity = attributes.mq_msgsize;
  } else if (c->kind == UNIX && size < SOCKET_READ) {
    *capacity = SOCKET_READ;
  }
  struct message *m = calloc(1, sizeof *m + *capacity);
  if (!m) die("calloc");
  m->type = 1;
  return m;
}

static void send_all(int fd, const char *data, size_t size) {
  while (size > 0) {
    ssize_t n = write(fd, data, size);
    if (n == -1) die("write");
    data += n;
    size -= n;
  }
}

void channel_send(const struct channel *c, const struct message *m, size_t size) {
  switch (c->kind) {
    case SYSV:
      if (msgsnd(c->id, m, size, 0) == -1) die("msgsnd");
      return;
    case POSIX:
      if (mq_send(c->id, m->data, size, 0) == -1) die("mq_send");
      return;
    case UNIX:
      send_all(c->id, m->data, size);
  }
}

size_t channel_receive(const struct channel *c, struct message *m, size_t capacity) {
  ssize_t n = -1;
  switch (c->kind) {
    case SYSV:
      n = msgrcv(c->id, m, capacity, 0, 0);
      break;
    case POSIX:
      n = mq_receive(c->id, m->data, capacity, NULL);
      break;
    case UNIX:
      n = read(c->id, m->data, capacity);
      if (n == 0) exit(0); /* the sender has gone: nothing more to measure */
  }
  if (n == -1) die("receive");
  return n;
}
