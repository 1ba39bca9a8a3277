// SPDX-License-Identifier: GPL-2.0-or-later
#include "index/nodes.h"

#include <errno.h>
#include <string.h>

static uint64_t identity_hash(const struct identity *id)
{
	return hash_word(id->ino ^ hash_word(id->dev));
}

static uint64_t hash_by_name(const void *owner, uint32_t id)
{
	const struct node *node = nodes_at(owner, id);

	return hash_name(((const struct nodes *)owner)->key, node->parent,
		node->name, strlen(node->name));
}

static uint32_t *next_by_name(void *owner, uint32_t id)
{
	return &nodes_at(owner, id)->next_by_name;
}

static uint64_t hash_by_identity(const void *owner, uint32_t id)
{
	return identity_hash(&nodes_at(owner, id)->id);
}

static uint32_t *next_by_identity(void *owner, uint32_t id)
{
	return &nodes_at(owner, id)->next_by_identity;
}

static const struct table_ops name_ops = {hash_by_name, next_by_name};
static const struct table_ops identity_ops = {
	hash_by_identity, next_by_identity};

static int add_chunk(struct nodes *n)
{
	struct node **more =
		reallocarray(n->chunks, n->n_chunks + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	n->chunks = more;
	more[n->n_chunks] = calloc(NODES_CHUNK, sizeof(struct node));
	if (!more[n->n_chunks])
		return -ENOMEM;
	n->n_chunks++;
	return 0;
}

static int take_slot(struct nodes *n, uint32_t *ret_id)
{
	int r;

	if (n->free_head != INDEX_NONE) {
		*ret_id = n->free_head;
		n->free_head = nodes_at(n, *ret_id)->next_sibling;
		return 0;
	}
	if (n->n_slots == n->n_chunks * NODES_CHUNK) {
		r = add_chunk(n);
		if (r < 0)
			return r;
	}
	*ret_id = n->n_slots++;
	return 0;
}

static void give_slot(struct nodes *n, uint32_t id)
{
	struct node *node = nodes_at(n, id);

	*node = (struct node){.is_free = true, .next_sibling = n->free_head};
	n->free_head = id;
}

static void link_child(struct nodes *n, uint32_t id, uint32_t parent)
{
	struct node *node = nodes_at(n, id);

	node->parent = parent;
	node->prev_sibling = INDEX_NONE;
	node->next_sibling = INDEX_NONE;
	if (parent == INDEX_NONE)
		return;
	node->next_sibling = nodes_at(n, parent)->first_child;
	if (node->next_sibling != INDEX_NONE)
		nodes_at(n, node->next_sibling)->prev_sibling = id;
	nodes_at(n, parent)->first_child = id;
}

static void unlink_child(struct nodes *n, uint32_t id)
{
	struct node *node = nodes_at(n, id);

	if (node->next_sibling != INDEX_NONE)
		nodes_at(n, node->next_sibling)->prev_sibling =
			node->prev_sibling;
	if (node->prev_sibling != INDEX_NONE)
		nodes_at(n, node->prev_sibling)->next_sibling =
			node->next_sibling;
	else if (node->parent != INDEX_NONE)
		nodes_at(n, node->parent)->first_child = node->next_sibling;
}

int nodes_add(struct nodes *n, uint32_t parent, const char *name, size_t len,
	uint32_t *ret_id)
{
	mem_autofree char *copy = strndup(name, len);
	struct node *node;
	uint32_t id;
	int r;

	if (!copy)
		return -ENOMEM;
	r = take_slot(n, &id);
	if (r < 0)
		return r;
	node = nodes_at(n, id);
	*node = (struct node){
		.first_child = INDEX_NONE,
		.root = UINT16_MAX,
		.type = N_STYPES,
		.name = copy,
	};
	if (parent != INDEX_NONE) {
		node->root = nodes_at(n, parent)->root;
		node->type = nodes_at(n, parent)->type;
	}
	node->parent = parent;
	table_insert(&n->by_name, &name_ops, n, id);
	link_child(n, id, parent);
	n->name_bytes += len + 1;
	n->n_live++;
	mem_take(copy);
	*ret_id = id;
	return 0;
}

int nodes_init(struct nodes *n, struct hash_key key)
{
	uint32_t id;
	int r;

	*n = (struct nodes){
		.key = key,
		.free_head = INDEX_NONE,
		.dead_head = INDEX_NONE,
	};
	r = nodes_add(n, INDEX_NONE, "", 0, &id);
	for (int t = 0; r == 0 && t < N_STYPES; t++) {
		const char *name = stype_name((enum stype)t);

		r = nodes_add(n, INDEX_NODE_COMPONENT, name, strlen(name), &id);
		if (r == 0)
			nodes_at(n, id)->type = (uint8_t)t;
	}
	return r;
}

void nodes_fini(struct nodes *n)
{
	for (uint32_t id = 0; id < n->n_slots; id++) {
		free(nodes_at(n, id)->name);
		table_fini(&nodes_at(n, id)->names);
	}
	for (size_t i = 0; i < n->n_chunks; i++)
		free(n->chunks[i]);
	free(n->chunks);
	table_fini(&n->by_name);
	table_fini(&n->by_identity);
	*n = (struct nodes){0};
}

static void drop_identity(struct nodes *n, uint32_t id)
{
	struct node *node = nodes_at(n, id);

	if (node->id.ino)
		table_remove(&n->by_identity, &identity_ops, n, id);
	node->id = (struct identity){0};
}

void nodes_set_identity(
	struct nodes *n, uint32_t id, const struct identity *identity)
{
	struct node *node = nodes_at(n, id);

	if (identity_equal(&node->id, identity))
		return;
	drop_identity(n, id);
	if (!identity->ino)
		return;
	node->id = *identity;
	table_insert(&n->by_identity, &identity_ops, n, id);
}

uint32_t nodes_next(const struct nodes *n, uint32_t top, uint32_t id)
{
	const struct node *node = nodes_at(n, id);

	if (node->first_child != INDEX_NONE)
		return node->first_child;
	while (id != top) {
		node = nodes_at(n, id);
		if (node->next_sibling != INDEX_NONE)
			return node->next_sibling;
		id = node->parent;
	}
	return INDEX_NONE;
}

void nodes_kill(struct nodes *n, uint32_t id)
{
	uint32_t at = id;

	unlink_child(n, id);
	while (at != INDEX_NONE) {
		struct node *node = nodes_at(n, at);

		table_remove(&n->by_name, &name_ops, n, at);
		drop_identity(n, at);
		node->is_dead = true;
		n->n_live--;
		n->name_bytes -= strlen(node->name) + 1;
		at = nodes_next(n, id, at);
	}
	/* The whole subtree waits as one. */
	nodes_at(n, id)->next_sibling = n->dead_head;
	n->dead_head = id;
}

uint32_t nodes_leaf(const struct nodes *n, uint32_t id)
{
	while (nodes_at(n, id)->first_child != INDEX_NONE)
		id = nodes_at(n, id)->first_child;
	return id;
}

uint32_t nodes_free_dead(struct nodes *n, uint32_t id)
{
	struct node *node = nodes_at(n, id);
	uint32_t next = node->parent;

	if (id == n->dead_head) {
		n->dead_head = next = node->next_sibling;
	} else {
		nodes_at(n, next)->first_child = node->next_sibling;
	}
	free(node->name);
	give_slot(n, id);
	return next;
}

/* All below belong to the root that their top belongs to now. */
static void adopt(struct nodes *n, uint32_t top)
{
	const struct node *parent = nodes_at(n, nodes_at(n, top)->parent);
	uint32_t at = top;

	if (nodes_at(n, top)->root == parent->root)
		return;
	for (; at != INDEX_NONE; at = nodes_next(n, top, at)) {
		nodes_at(n, at)->root = parent->root;
		nodes_at(n, at)->type = parent->type;
	}
}

int nodes_move(struct nodes *n, uint32_t id, uint32_t parent, const char *name,
	size_t len)
{
	struct node *node = nodes_at(n, id);
	char *copy = strndup(name, len);

	if (!copy)
		return -ENOMEM;
	table_remove(&n->by_name, &name_ops, n, id);
	unlink_child(n, id);
	n->name_bytes += len - strlen(node->name);
	free(node->name);
	node->name = copy;
	link_child(n, id, parent);
	adopt(n, id);
	table_insert(&n->by_name, &name_ops, n, id);
	return 0;
}

uint32_t nodes_child(const struct nodes *n, uint32_t parent, uint64_t hash,
	const char *name, size_t len)
{
	uint32_t id;

	if (nodes_at(n, parent)->first_child == INDEX_NONE)
		return INDEX_NONE;
	id = table_head(&n->by_name, hash);
	while (id != INDEX_NONE) {
		const struct node *node = nodes_at(n, id);

		if (node->parent == parent &&
			strncmp(node->name, name, len) == 0 &&
			node->name[len] == '\0')
			return id;
		id = node->next_by_name;
	}
	return INDEX_NONE;
}

uint32_t nodes_by_identity(
	const struct nodes *n, const struct identity *identity)
{
	uint32_t id = table_head(&n->by_identity, identity_hash(identity));

	while (id != INDEX_NONE) {
		if (identity_equal(&nodes_at(n, id)->id, identity))
			return id;
		id = nodes_at(n, id)->next_by_identity;
	}
	return INDEX_NONE;
}

bool nodes_is_below(const struct nodes *n, uint32_t id, uint32_t ancestor)
{
	for (; id != INDEX_NONE; id = nodes_at(n, id)->parent)
		if (id == ancestor)
			return true;
	return false;
}

void nodes_add_sums(struct nodes *n, uint32_t id, const struct sums *s)
{
	for (; id != INDEX_NONE; id = nodes_at(n, id)->parent) {
		struct sums *at = &nodes_at(n, id)->sums;

		at->used_bytes += s->used_bytes;
		at->size_bytes += s->size_bytes;
		at->files += s->files;
		at->others += s->others;
		at->directories += s->directories;
		at->records += s->records;
	}
}

void nodes_sub_sums(struct nodes *n, uint32_t id, const struct sums *s)
{
	for (; id != INDEX_NONE; id = nodes_at(n, id)->parent) {
		struct sums *at = &nodes_at(n, id)->sums;

		at->used_bytes -= s->used_bytes;
		at->size_bytes -= s->size_bytes;
		at->files -= s->files;
		at->others -= s->others;
		at->directories -= s->directories;
		at->records -= s->records;
	}
}

void nodes_new_stamp(struct nodes *n)
{
	if (++n->stamp)
		return;
	for (uint32_t id = 0; id < n->n_slots; id++)
		nodes_at(n, id)->mark = 0;
	n->stamp = 1;
}

uint64_t nodes_memory(const struct nodes *n)
{
	return n->n_chunks * NODES_CHUNK * sizeof(struct node) + n->name_bytes +
	       table_memory(&n->by_name) + table_memory(&n->by_identity);
}
