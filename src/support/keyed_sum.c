/*
 * keyed_sum.c
 *		SipHash-2-4 with 128 bits of output, made for adding up.
 *
 * Who does not know the key cannot choose values whose hashes cancel out; so the key is drawn anew for each comparison
 * and never shown, and neither are hashes.  (Aumasson and Bernstein: SipHash, a fast short-input PRF.)
 */
#include "postgres.h"

#include "support/keyed_sum.h"

typedef struct SipState
{
	uint64 v0;
	uint64 v1;
	uint64 v2;
	uint64 v3;
} SipState;

/* A new random key. */
CecSumKey
cec_sum_random_key(void)
{
	CecSumKey key;

	if (!pg_strong_random(&key, sizeof(key)))
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate a random key")));
	return key;
}

static inline uint64
rotate(uint64 word, int bits)
{
	return (word << bits) | (word >> (64 - bits));
}

static inline void
sip_rounds(SipState *s, int rounds)
{
	for (int i = 0; i < rounds; i++)
	{
		s->v0 += s->v1;
		s->v1 = rotate(s->v1, 13) ^ s->v0;
		s->v0 = rotate(s->v0, 32);
		s->v2 += s->v3;
		s->v3 = rotate(s->v3, 16) ^ s->v2;
		s->v0 += s->v3;
		s->v3 = rotate(s->v3, 21) ^ s->v0;
		s->v2 += s->v1;
		s->v1 = rotate(s->v1, 17) ^ s->v2;
		s->v2 = rotate(s->v2, 32);
	}
}

static inline void
sip_word(SipState *s, uint64 word)
{
	s->v3 ^= word;
	sip_rounds(s, 2);
	s->v0 ^= word;
}

/* The hash of a tag and the bytes behind it, under a key; the same on any one machine. */
CecSum
cec_sum_hash(const CecSumKey *key, uint64 tag, const char *bytes, Size length)
{
	SipState s = {key->low ^ UINT64CONST(0x736f6d6570736575), key->high ^ UINT64CONST(0x646f72616e646f6d) ^ 0xee,
				  key->low ^ UINT64CONST(0x6c7967656e657261), key->high ^ UINT64CONST(0x7465646279746573)};
	uint64 last = (uint64) (length + sizeof(tag)) << 56;
	CecSum sum;

	sip_word(&s, tag);
	for (; length >= sizeof(uint64); length -= sizeof(uint64), bytes += sizeof(uint64))
	{
		uint64 word;

		memcpy(&word, bytes, sizeof(word));
		sip_word(&s, word);
	}
	for (Size i = 0; i < length; i++)
		last |= (uint64) (unsigned char) bytes[i] << (8 * i);
	sip_word(&s, last);

	s.v2 ^= 0xee;
	sip_rounds(&s, 4);
	sum.low = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
	s.v1 ^= 0xdd;
	sip_rounds(&s, 4);
	sum.high = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
	return sum;
}
