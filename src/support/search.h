/*
 * search.h
 *		Binary search.
 */
#ifndef CEC_SEARCH_H
#define CEC_SEARCH_H

/*
 * Sets place to the first of so many elements in order that does not come before what is sought, or to their number.  The last
 * argument says of the element numbered middle whether it comes before.
 */
#define CEC_SEARCH(place, count, comes_before) \
	do \
	{ \
		int64 low = 0; \
		int64 high = (count); \
\
		while (low < high) \
		{ \
			int64 middle = low + (high - low) / 2; \
\
			if (comes_before) \
				low = middle + 1; \
			else \
				high = middle; \
		} \
		(place) = low; \
	} while (0)

#endif
