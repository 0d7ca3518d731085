/*
 * keyed_sum.h
 *		Sums of keyed hashes: two bags of values are equal when their sums are.
 */
#ifndef CEC_KEYED_SUM_H
#define CEC_KEYED_SUM_H

typedef struct CecSumKey
{
	uint64 low;
	uint64 high;
} CecSumKey;

/* A number of 128 bits; sums wrap around. */
typedef struct CecSum
{
	uint64 low;
	uint64 high;
} CecSum;

extern CecSumKey cec_sum_random_key(void);
extern CecSum cec_sum_hash(const CecSumKey *key, uint64 tag, const char *bytes, Size length);

static inline void
cec_sum_add(CecSum *sum, CecSum other)
{
	sum->low += other.low;
	sum->high += other.high + (sum->low < other.low);
}

static inline void
cec_sum_subtract(CecSum *sum, CecSum other)
{
	uint64 borrow = sum->low < other.low;

	sum->low -= other.low;
	sum->high -= other.high + borrow;
}

static inline bool
cec_sum_equal(CecSum one, CecSum other)
{
	return one.low == other.low && one.high == other.high;
}

static inline bool
cec_sum_is_zero(CecSum sum)
{
	return sum.low == 0 && sum.high == 0;
}

#endif
