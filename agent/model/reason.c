// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/reason.h"

static const char *const words[N_REASONS] = {
#define X(id, word, sentence) [REASON_##id] = word,
	REASON_TABLE(X)
#undef X
};

static const char *const sentences[N_REASONS] = {
#define X(id, word, sentence) [REASON_##id] = sentence,
	REASON_TABLE(X)
#undef X
};

const char *reason_word(enum reason reason)
{
	return words[reason];
}

const char *reason_sentence(enum reason reason)
{
	return sentences[reason];
}
