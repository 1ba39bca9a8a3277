// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a reaper tells of the trash, as the agent reads it: records and bytes
 * of any kind in pieces of any length, ends and exit codes in any order. Each
 * reaper is sent picks that it can read; what is told is counted as the
 * records say, an errand ends once and for a reason, and the index is true.
 * And any bytes as the picks that a reaper reads.
 */
#include "fuzz.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "act/slot.h"
#include "base/fd.h"
#include "errand.h"
#include "feed_impl.h"
#include "loop.h"
#include "wire.h"

#define ROOTS 2

struct scene {
	struct clock clock;
	struct root roots[ROOTS];
	struct policy policy;
	struct feed *feed;
	struct deletions deletions;
	struct wire *wire;
	int warden; /* its end of the channel */
	int record_fd; /* the reaper's end of the stream */
	uint32_t serial; /* of the reaper that is owed an answer; 0: none */
	struct errand *errand;
	uint64_t n_counted, n_reapers;
	bool is_done;
};

/* What the loop would call: one source at most, the errand's stream. */
static struct {
	loop_fn *fn; /* NULL: none */
	void *ctx;
	int fd;
} news;

int __wrap_loop_add_fd(struct loop *l, int fd, loop_fn *fn, void *ctx,
	struct loop_source **ret);
struct loop_source *__wrap_loop_remove(struct loop_source *s);

int __wrap_loop_add_fd(struct loop *l, int fd, loop_fn *fn, void *ctx,
	struct loop_source **ret)
{
	(void)l;
	must(fd >= 0 && !news.fn);
	news.fn = fn;
	news.ctx = ctx;
	news.fd = fd;
	*ret = ctx;
	return 0;
}

struct loop_source *__wrap_loop_remove(struct loop_source *s)
{
	if (s)
		news.fn = NULL;
	return NULL;
}

/* ---- the agent's side ---- */

static void on_hangup(void *ctx)
{
	(void)ctx;
}

static void on_file(void *ctx, const struct trash_record *r, const char *path)
{
	struct scene *s = ctx;

	must(!s->is_done && !r->is_end);
	must(trash_record_is_sound(r, ROOTS) && strlen(path) <= r->path_len);
	switch (r->reason) {
	case REASON_DELETED:
	case REASON_RESTORED:
	case REASON_WOULD_DELETE:
	case REASON_TRASHED:
		s->n_counted++;
		break;
	default:
		break;
	}
}

static void on_done(void *ctx, const struct errand *e)
{
	struct scene *s = ctx;

	must(!s->is_done && errand_is_done(e));
	must(errand_result(e)->files == s->n_counted);
	must(errand_result(e)->error <= 0);
	s->is_done = true;
}

static uint32_t add_dir(
	struct index *ix, uint32_t dir, const char *name, uint64_t ino)
{
	struct index_change change;
	const struct observation o = {.dir = dir,
		.name = name,
		.name_len = (uint16_t)strlen(name),
		.kind = OBS_DIR,
		.st = {.id = {.dev = 1, .ino = ino}}};

	must(index_apply(ix, &o, 0, &change) == 0);
	return change.node;
}

static void add_file(struct index *ix, uint32_t dir, uint64_t number)
{
	struct quarantine_slot slot;
	struct index_change change;
	struct observation o = {.dir = dir,
		.kind = OBS_FILE,
		.st = {.id = {.dev = 1, .ino = 1000 + number},
			.used_bytes = 4096,
			.nlink = 1}};

	must(slot_name(number, "a", "f", &slot));
	o.name = slot.name;
	o.name_len = (uint16_t)strlen(slot.name);
	must(index_apply(ix, &o, INDEX_TRASHED, &change) == 0);
}

static void fill_feed(struct scene *s)
{
	struct feed *f = calloc(1, sizeof(*f));

	must(f != NULL);
	s->feed = f;
	f->policy = &s->policy;
	f->n_roots = ROOTS;
	f->roots = calloc(ROOTS, sizeof(*f->roots));
	f->index = index_new();
	must(f->roots && f->index);
	dirty_init(&f->dirty);
	for (uint16_t i = 0; i < ROOTS; i++) {
		uint32_t root, trash;

		must(index_add_root(f->index, (enum stype)i, "/r", i, &root) ==
			0);
		f->roots[i].node = root;
		add_dir(f->index, root, "a", 10u + i);
		trash = add_dir(f->index, root, TRASH_NAME, 20u + i);
		for (uint64_t n = 1; n < 4; n++)
			add_file(f->index, trash, n);
	}
}

static void begin(struct scene *s)
{
	int pair[2];

	*s = (struct scene){
		.clock = {.is_fake = true,
			.fake_real_ns = INT64_C(1800000000) * CLOCK_NS_PER_S},
		.record_fd = -1};
	for (size_t i = 0; i < ROOTS; i++)
		s->roots[i].path = (char *)"/r";
	s->policy = (struct policy){
		.component = (char *)"c", .roots = s->roots, .n_roots = ROOTS};
	fill_feed(s);
	deletions_init(&s->deletions);
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair) == 0);
	s->warden = pair[1];
	must(wire_new(pair[0], on_hangup, s, &s->wire) == 0);
}

/* ---- the warden's side, and the reaper's ---- */

/* A reaper was asked for: it gets picks that it can read. */
static void hear(struct scene *s)
{
	struct channel_message m;
	buf_auto struct buf data = {0};
	struct trash_pick *picks;
	int fds[FD_MAX_PASSED];
	size_t n;

	if (fd_recv(s->warden, &m, sizeof(m), fds) != sizeof(m))
		return;
	must(m.kind == CHANNEL_TRASH && m.action < N_TRASH_ACTIONS);
	must(!s->is_done && !s->serial && fds[0] >= 0 && fds[1] >= 0);
	must(buf_read_fd(&data, fds[0], 1 << 20) == 0);
	must(trash_picks_decode(data.data, data.len, ROOTS, &picks, &n) == 0);
	must(n > 0 && n <= TRASH_SLICE);
	free(picks);
	fd_close(fds[0]);
	fd_close(s->record_fd);
	s->record_fd = fds[1];
	s->serial = m.serial;
	s->n_reapers++;
}

static void read_news(void)
{
	while (news.fn) {
		struct pollfd p = {news.fd, POLLIN, 0};

		if (poll(&p, 1, 0) <= 0)
			break;
		news.fn(news.ctx);
	}
}

static void tell(struct scene *s, const void *data, size_t len)
{
	if (s->record_fd >= 0)
		(void)send(
			s->record_fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	read_news();
}

/* A record that may be sound; its path may be cut. */
static void tell_record(struct scene *s, struct input *in, bool is_end)
{
	uint8_t what = input_byte(in);
	struct trash_record r = {.number = what & 7,
		.used_bytes = (uint64_t)input_byte(in) << 12,
		.root = what >> 3 & 1,
		.reason = input_byte(in) % (N_REASONS + 1),
		.path_len = input_byte(in),
		.is_end = is_end,
		.is_more = what >> 4 & 1,
		.error = what >> 5 & 1 ? EIO : 0};
	size_t len;
	const void *path = input_run(in, r.path_len, &len);

	if (!(what >> 6 & 1))
		r.path_len = (uint32_t)len;
	tell(s, &r, sizeof(r));
	tell(s, path, len);
}

/* The reaper is gone; its end of the stream is not always closed by then. */
static void answer(struct scene *s, int status)
{
	struct channel_message m = {
		.kind = CHANNEL_DONE, .serial = s->serial, .status = status};

	if (!s->serial)
		return;
	s->serial = 0;
	must(fd_send(s->warden, &m, sizeof(m), NULL, 0) == 0);
	must(wire_dispatch(s->wire) == 0);
}

static void step(struct scene *s, struct input *in)
{
	uint8_t what = input_byte(in);
	size_t len;
	const void *raw;

	hear(s);
	switch (what & 7) {
	case 0:
		raw = input_run(in, what >> 3, &len);
		tell(s, raw, len);
		break;
	case 1:
	case 2:
		s->record_fd = fd_close(s->record_fd);
		read_news();
		break;
	case 3:
	case 4:
		answer(s, what & 0x80 ? (int8_t)input_byte(in) : 0);
		break;
	default:
		tell_record(s, in, what & 8);
	}
}

/* ---- */

static void start(struct scene *s, struct input *in)
{
	const struct cleanup_parts parts = {.wire = s->wire,
		.feed = s->feed,
		.policy = &s->policy,
		.deletions = &s->deletions,
		.clock = &s->clock};
	const struct errand_handlers handlers = {on_file, on_done, s};
	uint8_t what = input_byte(in), action = input_byte(in);
	struct errand_order order = {
		.action = (enum trash_action)(action % N_TRASH_ACTIONS),
		.reason = (enum goal_reason)(action >> 4 & 3),
		.free_bytes = (uint64_t)input_byte(in) << 12,
		.max_files = what & 8 ? UINT64_MAX : 3,
		.max_bytes = what & 16 ? UINT64_MAX : 1 << 20,
		/* More than one reaper takes, now and then. */
		.n_picks = what & 7 ? what & 7 : TRASH_SLICE + 1};

	order.picks = calloc(order.n_picks, sizeof(*order.picks));
	must(order.picks != NULL);
	for (size_t i = 0; i < order.n_picks; i++) {
		order.picks[i].root = (what >> 5) + i & 1;
		order.picks[i].number = action & 8 ? i + 1 : 0;
	}
	must(errand_start(&parts, &order, &handlers, &s->errand) == 0);
}

static void end(struct scene *s)
{
	buf_auto struct buf report = {0};

	errand_free(s->errand);
	must(!news.fn);
	must(index_check(s->feed->index, &report) == 0);
	feed_free(s->feed);
	wire_free(s->wire);
	fd_close(s->warden);
	fd_close(s->record_fd);
}

static void read_picks(const uint8_t *data, size_t size)
{
	struct trash_pick *picks = NULL;
	size_t n = 77;
	int r = trash_picks_decode(data, size, ROOTS, &picks, &n);

	if (r < 0) {
		must(r == -EBADMSG && !picks && n == 77);
		return;
	}
	must(n * sizeof(*picks) == size);
	must(!size || memcmp(picks, data, size) == 0);
	for (size_t i = 0; i < n; i++)
		must(picks[i].root < ROOTS && !picks[i].reserved);
	free(picks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct scene s;

	read_picks(data, size);
	begin(&s);
	start(&s, &in);
	while (in.left)
		step(&s, &in);
	hear(&s);
	end(&s);
	return 0;
}
